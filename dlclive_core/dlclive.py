"""`DLCLive`, with the interface of DeepLabCut-live: frames in, arrays out. A thin layer over the typed API."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from dlclive_core.components import PoseModel, Processor, Sink
from dlclive_core.data.colour_order import swap_red_blue
from dlclive_core.data.estimate import Estimate, RunInfo
from dlclive_core.data.frame import Frame, check_image, read_only
from dlclive_core.data.pose import Pose
from dlclive_core.data.run_clock import RunClock
from dlclive_core.errors import FrameError, UnsupportedModelError, UsageError, nearest, one_line
from dlclive_core.hookspecs import SinkInfo
from dlclive_core.models.cascade import check_fallback_limit
from dlclive_core.models.deeplabcut_live import detection_options_from_deeplabcut_live
from dlclive_core.models.load import load_model
from dlclive_core.plugins.catalog import PluginCatalog
from dlclive_core.profiles import choose_regions
from dlclive_core.regions import Chain, fit_to_model, predict_through, regions_from_deeplabcut_live
from dlclive_core.session.array_processor import ArrayProcessor, DeepLabCutLiveProcessor, as_processor
from dlclive_core.session.passed_parts import refuse_class

_log = logging.getLogger(__name__)

_MODEL_TYPES: dict[str, str | None] = {
    "base": None,
    "auto": None,
    "pytorch": "torch",
    "torch": "torch",
    "onnx": "onnx",
    "tensorrt": "tensorrt",
    "openvino": "openvino",
}
_TENSORFLOW = ("tensorflow", "lite", "tflite")


class DLCLive:
    """Estimates poses in the caller's frames. Use it from one thread at a time; close it, or use it with `with`.

    Args:
        path: a model file, a training folder, an export folder or a project.
        model_type: name of a runtime ("pytorch", "onnx", ...); None: automatic.
        precision: "FP32" or "FP16"; None: the precision of the file.
        device: "cpu", "cuda", "cuda:1", ...; None or "auto": a GPU if there is one.
        cropping: [x1, x2, y1, y2] in pixels: use only this part of each frame.
        dynamic: (state, threshold, margin): if state is true, use only a window around the animal's last position,
            `margin` pixels wider than the keypoints with a confidence above `threshold`.
        resize: scale factor applied after cropping, before the network (0.5: half the width and half the height).
        convert2rgb: frames are in OpenCV's BGR order; pass False for RGB frames. Grey frames are accepted either way.
        processor: a Processor, or an object with `process(pose, **kwargs)` as in DeepLabCut-live.
        display: show a window with the frame and its keypoints; a Sink replaces the window. If the display fails, it is
            closed with a warning, and pose estimation continues.
        pcutoff, display_radius, display_cmap: lowest confidence shown, radius in pixels, and colorcet map of the window.
        top_down_config: for a top-down model, as in DeepLabCut-live: {"bbox_cutoff": 0.6, "max_detections": 3, "skip_frames":
            {"skip": 2, "margin": 20}}; skip 2 runs the detector on every third frame.
        top_down_dynamic: follow one animal with a top-down model and no detector; a dict with any of "threshold", "margin",
            "patch_counts", "patch_overlap", "min_bbox_size", "min_hq_keypoints"; an empty dict uses the defaults.
        conditions: for a conditional model, the bottom-up model that finds new and lost animals.
        fallback, fallback_limit: for a student, its teacher, which answers the frames that are unlike the student's training;
            see `load_model`.
        single_animal: `get_pose` returns (K, 3) of the best animal; False: (N, K, 3) of all.
        catalog: the available plugins; by default those installed.

    If `dlclive tune` has saved a profile beside the model, it supplies the runtime, precision and device unless model_type,
    precision or device is set, and the crop and size unless cropping, dynamic or resize is set.

    All returned coordinates are pixels of the full frame, regardless of cropping and resizing.
    """

    def __init__(
        self,
        path: str | Path,
        model_type: str | None = None,
        precision: str | None = None,
        device: str | None = None,
        cropping: tuple[int, int, int, int] | list[int] | None = None,
        dynamic: tuple[bool, float, float] = (False, 0.5, 10),
        resize: float | None = None,
        convert2rgb: bool = True,
        processor: Processor | DeepLabCutLiveProcessor | None = None,
        display: bool | Sink = False,
        pcutoff: float = 0.5,
        display_radius: int = 3,
        display_cmap: str = "bmy",
        single_animal: bool = True,
        top_down_config: Mapping[str, Any] | None = None,
        top_down_dynamic: Mapping[str, Any] | None = None,
        conditions: str | Path | PoseModel | None = None,
        fallback: str | Path | PoseModel | None = None,
        fallback_limit: float = 1.0,
        catalog: PluginCatalog | None = None,
    ) -> None:
        self.path = Path(path)
        self.convert2rgb = convert2rgb
        self.single_animal = single_animal
        self.pose: NDArray[np.float32] | None = None
        self._runtime = _runtime_name(model_type)
        self._precision = (precision or "auto").lower()
        self._device = device or "auto"
        self._detection = detection_options_from_deeplabcut_live(top_down_config, top_down_dynamic, conditions)
        check_fallback_limit(fallback, fallback_limit)
        self._fallback, self._fallback_limit = fallback, fallback_limit
        self._custom_region = regions_from_deeplabcut_live(cropping, dynamic, resize)
        self._region = self._custom_region
        self._original_processor = processor
        self._processor = _adapted(processor, single_animal)
        refuse_class(display, "display")
        self._display = display
        self._display_options = {"pcutoff": pcutoff, "radius": display_radius, "colormap": display_cmap}
        self._window: Sink | None = None
        self._catalog = catalog
        self._model: PoseModel | None = None
        self._index = 0
        self._is_running = False  # whether the processor and the window are open
        self._clock = RunClock()
        self._is_made = True

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse what would have no effect, because it was read when the object was created."""
        if name in _FIXED and getattr(self, "_is_made", False):
            raise UsageError(f"{name} cannot be changed later; pass it to the constructor: DLCLive(path, {name}=...)")
        super().__setattr__(name, value)

    @property
    def processor(self) -> Processor | DeepLabCutLiveProcessor | None:
        """The processor as passed to the constructor."""
        return self._original_processor

    @property
    def is_initialized(self) -> bool:
        """Whether the model is loaded."""
        return self._model is not None

    @property
    def model(self) -> PoseModel:
        """The model, loaded on first access."""
        if self._model is None:
            self._catalog = self._catalog or PluginCatalog.installed()
            self._model = load_model(
                self.path,
                self._runtime,
                device=self._device,
                precision=self._precision,
                fallback=self._fallback,
                fallback_limit=self._fallback_limit,
                catalog=self._catalog,
                **self._detection.changed_options(),
            )
            self._region = Chain(choose_regions(self._model.profile, self._custom_region.regions))
        return self._model

    def init_inference(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """Load the model, warm it up on this frame's shape, and return the frame's pose like `get_pose`."""
        check_image(frame)
        model = self.model  # loading it may set the region
        for height, width in self._region.views(frame.shape[:2]):
            model.warmup((height, width, *frame.shape[2:]))
        return self.get_pose(frame, **kwargs)

    def get_pose(self, frame: NDArray[np.uint8], **kwargs: Any) -> NDArray[np.float32]:
        """Estimate the pose in a frame.

        Args:
            frame: (H, W, 3) uint8, BGR unless `convert2rgb` is False, or (H, W) uint8 grey.
            kwargs: passed on to a processor in DeepLabCut-live's style, for example record=True. Without them, it gets
                frame_time (the wall time of this call), pose_time (when the pose was ready) and record=False.

        Returns:
            (K, 3) float32 x, y, confidence, or (N, K, 3) with `single_animal=False`, after the processor.
        """
        captured_at = time.perf_counter()
        if frame is None:
            raise FrameError("the frame is None: the camera or video returned no image")
        check_image(frame)
        if not self._is_running:
            self._begin(frame)
        began = time.perf_counter()
        pose = predict_through(self._region, frame, self._predict)
        ended = self._clock.posed_at = time.perf_counter()
        numbered = Frame(read_only(frame), self._index, captured_at, source="DLCLive")
        if isinstance(self._processor, ArrayProcessor):
            keywords = self._processor.keywords(captured_at, record=False)
            pose = self._processor.process_with(pose, {**keywords, **kwargs})
        elif self._processor is not None:
            pose = self._processor.process(pose, numbered)
        self._index += 1
        if self._window is not None:
            self._show(self._window, self._estimate(numbered, pose, began, ended))
        self.pose = (pose.single() if self.single_animal else pose.keypoints).copy()  # the caller may write into it
        return self.pose

    def close(self) -> None:
        """Close the processor, the window and the model, all of them even if one raises. Safe to call twice."""
        window, self._window = self._window, None
        model, self._model = self._model, None
        self._index, self._is_running = 0, False
        with ExitStack() as stack:  # the last one first
            if model is not None:
                stack.callback(model.close)
            if window is not None:
                stack.callback(_close_window, window)
            if self._processor is not None:
                stack.callback(self._processor.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _predict(self, image: NDArray[np.uint8]) -> Pose:
        if self.convert2rgb and image.ndim == 3:
            image = swap_red_blue(image)
        return self.model.predict(image)

    def _begin(self, frame: NDArray[np.uint8]) -> None:
        """Open the processor and the window, which need the model's card."""
        fit_to_model(self._region, *self.model.cards)
        run = RunInfo(
            card=self.model.card,
            source="DLCLive",
            is_live=True,
            frame_size=(frame.shape[1], frame.shape[0]),
            fps=None,
            frame_count=None,
            started_at=datetime.now(timezone.utc).astimezone(),
            started_clock=time.perf_counter(),
            clock=self._clock,
        )
        self._region.reset()
        self.model.reset()
        if self._processor is not None:
            self._processor.open(run)
        if self._display and self._window is None:
            window = self._display if isinstance(self._display, Sink) else self._build_window()
            try:
                window.open(run)
            except BaseException:
                window.close()
                if self._processor is not None:
                    self._processor.close()
                raise
            self._window = window
        self._is_running = True

    def _show(self, window: Sink, estimate: Estimate) -> None:
        """Write to the window; a display that fails, for example unplugged, must not stop pose estimation."""
        try:
            window.write(estimate)
        except Exception as error:
            self._window = None
            _log.warning("the display failed and is closed; poses continue: %s", one_line(error))
            _close_window(window)

    def _build_window(self) -> Sink:
        catalog = self._catalog or PluginCatalog.installed()
        window: Sink = catalog.build(SinkInfo, "display", **self._display_options)
        return window

    def _estimate(self, frame: Frame, pose: Pose, began: float, ended: float) -> Estimate:
        if self.convert2rgb and frame.image.ndim == 3:  # sinks expect RGB
            image = swap_red_blue(frame.image)
            frame = Frame(image, frame.index, frame.captured_at, source=frame.source)
        return Estimate(frame, pose, began, ended, time.perf_counter())


_FIXED = frozenset(inspect.signature(DLCLive.__init__).parameters) - {"self", "convert2rgb"}
"""Options that are read once. `convert2rgb` is read for each frame, and may be set."""


def _close_window(window: Sink) -> None:
    """Close a display; one that fails hides nothing else that failed."""
    try:
        window.close()
    except Exception as error:
        _log.warning("the display could not be closed: %s", one_line(error))


def _runtime_name(model_type: str | None) -> str | None:
    if model_type is None:
        return None
    name = model_type.lower()
    if name in _TENSORFLOW:
        raise UnsupportedModelError(
            f"model_type {model_type!r}: TensorFlow models are not supported; train or convert the project with DeepLabCut 3"
        )
    if name not in _MODEL_TYPES:
        raise UsageError(f"no model_type {model_type!r}: {nearest(name, _MODEL_TYPES)}")
    return _MODEL_TYPES[name]


def _adapted(processor: object, single_animal: bool) -> Processor | None:
    if processor is None:
        return None
    adapted = as_processor(processor)
    if isinstance(adapted, ArrayProcessor) and adapted is not processor:
        return ArrayProcessor(adapted.processor, single_animal=single_animal)
    return adapted
