"""A model that ONNX Runtime runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from dlclive_core import ModelError, Pose, PoseModel, UsageError, as_rgb, check_image
from dlclive_onnx import providers
from dlclive_onnx.graphs import understand


class OnnxModel(PoseModel):
    """An `.onnx` file as a PoseModel.

    Args:
        path: a file that `dlclive export` wrote, or a bare heatmap network with its `pytorch_config.yaml` beside it.
        device: "auto", "cpu", "cuda" or "cuda:<number>".
        precision: "auto", or the precision that the file has; it cannot be changed after the export.
        threads: of one inference on the CPU; None: as many as there are cores.
        allow_fallback: go on without CUDA when it does not start, instead of raising.
    """

    runtime = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        allow_fallback: bool = False,
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads is a number from 1 up; got {threads}")
        wanted = providers.choose(device)
        self._session: ort.InferenceSession | None = _open(Path(path), wanted, threads)
        self.device = providers.verify(self._session, wanted, allow_fallback=allow_fallback)
        self._graph = understand(self._session, Path(path))
        self.card = self._graph.card
        if precision.lower() not in ("auto", self.card.precision):
            raise UsageError(
                f"{Path(path).name} is in {self.card.precision}, not {precision}; export it again with --precision {precision}"
            )

    def predict(self, image: NDArray[np.uint8], *, boxes: NDArray[np.float32] | None = None) -> Pose:
        """See PoseModel.predict."""
        if boxes is not None:
            raise UsageError(f"this model is {self.card.method}: it finds its animals itself and takes no boxes")
        rgb = np.ascontiguousarray(as_rgb(check_image(image)))
        return Pose(self._run(rgb[None])[0], self.card.skeleton)

    def predict_batch(self, images: Sequence[NDArray[np.uint8]]) -> list[Pose]:
        """See PoseModel.predict_batch; images of one shape go in together."""
        checked = [as_rgb(check_image(image)) for image in images]
        if len({image.shape for image in checked}) != 1:
            return [self.predict(image) for image in checked]
        return [Pose(keypoints, self.card.skeleton) for keypoints in self._run(np.stack(checked))]

    def close(self) -> None:
        """Free the session's memory."""
        self._session = None

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._session is None:
            raise ModelError("the model is closed")
        return self._graph.run(images)


def _open(path: Path, wanted: list[providers.Provider], threads: int | None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: warnings about node placement are not for users
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=wanted)
    except Exception as error:  # ONNX Runtime raises classes of its own that it does not export
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} is not an ONNX model that ONNX Runtime can load: {reason}") from None
