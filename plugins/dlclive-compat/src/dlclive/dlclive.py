"""`DLCLive` with the signature, the attributes and the arrays of deeplabcut-live 1.1.0. dlclive_core does the work."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dlclive import factory, utils
from dlclive.core.model_runner import ModelRunner
from dlclive.processing import PoseProcessor
from dlclive.regions import Array, FrameView, Image, Regions, in_frame
from dlclive.windows import make_display, show
from dlclive_core import (
    CropTransform,
    FrameError,
    Profile,
    Region,
    UsageError,
    check_image,
    regions_from_deeplabcut_live,
)

if TYPE_CHECKING:
    from dlclive.core.runner import BaseRunner
    from dlclive.display import Display


class DLCLive:
    """Estimates poses in the caller's frames. Use it from one thread at a time.

    The processor is given every pose once, whichever way the caller goes:

    - `get_pose(frame, **keywords)`;
    - `process_frame(frame)`, then `runner.get_pose` on what it returned (DeepLabCut-live GUI 2.0.0);
    - the same, then `_post_process_pose(processed, **keywords)`.

    In the second way `runner.get_pose` calls the processor. It cannot know whether the third way's last step follows; once it
    has, that step calls it. The frame of `init_inference` was processed there: if it is the next one to come through
    `process_frame`, it is inferred again, and not given to the processor a second time.

    Args:
        model_path: a model file; or a training folder, an export folder, or a project with one model.
        model_type: "pytorch", "onnx", "openvino", "tensorrt", or "base", what the path says. TensorFlow's raise.
        precision: "FP32": that of the file, or what a profile beside the model says; "FP16".
        tf_config: not used.
        single_animal: poses are (K, 3), of the best animal; False: (N, K, 3), of all, N at least 1.
        device: "cpu", "cuda", "cuda:1", ...; None or "auto": a GPU if there is one.
        top_down_config: {"bbox_cutoff": ..., "max_detections": ..., "skip_frames": {"skip": ..., "margin": ...}}.
        top_down_dynamic: follow one animal with a top-down model and no detector.
        cropping: [x1, x2, y1, y2] in pixels: use only this part of each frame.
        dynamic: (state, threshold, margin): if state is true, use only a window around the animal's last position.
        resize: scale factor applied after cropping.
        convert2rgb: frames are in OpenCV's BGR order, or grey; False: they are passed on as they are, RGB or grey.
        processor: an object with `process(pose, **kwargs)`.
        display: show a window; or a `Display`. One that fails is closed with a warning, and poses continue.
        pcutoff, display_radius, display_cmap: of the window.

    Arrays are float32 and finite, in pixels of the full frame. A keypoint that was not found is (0, 0, 0).

    Attributes:
        runner: the model's runner.
        profile: the profile that the model is run by; None without one.
        pose: the last pose, after the processor. Setting it between two frames says where to look for the animal in the next
            one; between `process_frame` and `_post_process_pose`, it replaces the pose. It is in pixels of what `process_frame`
            returned if another network was run on that, and of the frame once `runner.get_pose` was.
        dynamic_cropping: [x1, x2, y1, y2] of the window in the last (cropped) frame; None: all of it.
        display: the window's `Display`; None without one.
        is_initialized: whether `init_inference` was called.
        path, model_type, cropping, dynamic, resize, convert2rgb: as passed. The last four are read for each frame.
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = (
        "path",
        "cfg",
        "model_type",
        "precision",
        "cropping",
        "dynamic",
        "resize",
        "processor",
    )

    def __init__(
        self,
        model_path: str | Path,
        model_type: str = "base",
        precision: str = "FP32",
        tf_config: Any = None,
        single_animal: bool = True,
        device: str | None = None,
        top_down_config: Mapping[str, Any] | None = None,
        top_down_dynamic: Mapping[str, Any] | None = None,
        cropping: Sequence[int] | None = None,
        dynamic: Sequence[Any] = (False, 0.5, 10),
        resize: float | None = None,
        convert2rgb: bool = True,
        processor: Any = None,
        display: bool | Display = False,
        pcutoff: float = 0.5,
        display_radius: int = 3,
        display_cmap: str = "bmy",
    ) -> None:
        self.path = Path(model_path)
        regions_from_deeplabcut_live(cropping, dynamic, resize)  # raises, before a model is loaded
        self.runner: BaseRunner = factory.build_runner(
            model_type,
            model_path,
            precision=precision,
            tf_config=tf_config,
            single_animal=single_animal,
            device=device,
            dynamic=top_down_dynamic,
            top_down_config=top_down_config,
        )
        self.model_type, self.convert2rgb = model_type, convert2rgb
        self.cropping, self.dynamic, self.resize = cropping, dynamic, resize
        self.dynamic_cropping: list[int] | None = None
        self.is_initialized = False
        self.display = make_display(display, pcutoff, display_radius, display_cmap)
        self._regions = Regions()
        self._view: FrameView | None = None
        self._first: tuple[Image, Image] | None = None  # the frame of init_inference, and a copy of it
        self._pose: Array | None = None
        self._pose_is_set = False  # by the caller
        self._hands_on = False  # whether the caller calls _post_process_pose
        self.processor = processor
        if isinstance(self.runner, ModelRunner):
            self.runner.on_pose = _weakly(self)

    @property
    def cfg(self) -> dict[str, Any] | None:
        """What is known of DeepLabCut's configuration: `cfg["metadata"]["bodyparts"]`; None before the model is loaded."""
        return self.runner.cfg

    @property
    def precision(self) -> str:
        """As passed."""
        return str(self.runner.precision)  # type: ignore[attr-defined]  # every runner has it, as in deeplabcut-live

    @property
    def profile(self) -> Profile | None:
        """The profile that the model is run by; None without one, or before the model is loaded."""
        model = self.runner.model if isinstance(self.runner, ModelRunner) else None
        return None if model is None else model.profile

    @property
    def processor(self) -> Any:
        """The processor, as passed. It may be replaced at any time; one of ours with a device is then closed."""
        return None if self._processor is None else self._processor.processor

    @processor.setter
    def processor(self, processor: Any) -> None:
        old = getattr(self, "_processor", None)
        if old is not None and processor is old.processor:
            return
        single = bool(getattr(self.runner, "single_animal", True))
        self._processor: PoseProcessor | None = None if processor is None else PoseProcessor(processor, single)
        if old is not None:
            old.close()  # nobody else would switch its device off

    @property
    def pose(self) -> Array | None:
        """The last pose, after the processor."""
        return self._pose

    @pose.setter
    def pose(self, pose: Array | None) -> None:
        if pose is not self._pose:
            self._pose, self._pose_is_set = pose, pose is not None

    @property
    def parameterization(self) -> dict[str, Any]:
        """The values of `PARAMETERS`."""
        return {name: getattr(self, name) for name in self.PARAMETERS}

    def read_config(self) -> dict[str, Any]:
        """What is known of DeepLabCut's configuration, as `cfg`; the model is loaded for it."""
        return self.runner.read_config()

    def process_frame(self, frame: Image) -> Image:
        """Cut out of a frame what the network is to see: the crop, the window of `dynamic`, resized, in RGB.

        Raises:
            FrameError: not (H, W, 3) or (H, W) uint8.
            UsageError: cropping, dynamic or resize do not fit.
        """
        captured_at = time.perf_counter()
        check_image(frame)
        self._configure(frame)
        if self._pose_is_set and self._pose is not None:
            self._regions.steer(frame, self._pose)
        self._pose_is_set = False
        image, transform = self._regions.cut(frame)
        self.dynamic_cropping = self._regions.window(frame, image, transform)
        last = self._view
        if last is not None and last.is_own and last.pose is not None and not last.is_done:
            self._hands_on = False  # the caller did not, with the last frame
        self._view = FrameView(frame, self._rgb(image), transform, captured_at)
        if self._first is not None:
            same, copy = self._first
            self._view.is_known, self._first = frame is same and bool(np.array_equal(frame, copy)), None
        return self._view.image

    def init_inference(self, frame: Image | None = None, **kwargs: Any) -> Array:
        """Load the model, warm it up for frames of this size, and return the pose, like `get_pose`."""
        if frame is None:
            raise FrameError("No frame provided: init_inference takes an image")
        check_image(frame)
        captured_at = time.perf_counter()
        self._regions.reset()  # the animal of an earlier video is not in this one
        if isinstance(self.runner, ModelRunner):
            self._configure(frame)
            self.runner.warmup(self._regions.chain.views((frame.shape[0], frame.shape[1])))
        pose = self._infer(frame, self.runner.init_inference, captured_at, kwargs)
        self.is_initialized = True
        self._first = (frame, frame.copy())
        return pose

    def get_pose(self, frame: Image | None = None, **kwargs: Any) -> Array:
        """Estimate the pose in a frame.

        Args:
            frame: (H, W, 3) uint8 BGR, RGB with `convert2rgb=False`, or (H, W) uint8 grey.
            kwargs: for the processor, in addition to `frame_time`, `pose_time` and `record` as `dlclive_core.ArrayProcessor`
                has them; those that the caller passes replace ours. `record` is False unless passed.

        Returns:
            (K, 3) or (N, K, 3), see the class; or what the processor returned, unless that is None.

        Raises:
            FrameError: no frame, or not an image.
        """
        if frame is None:
            raise FrameError("No frame provided: get_pose takes an image")
        return self._infer(frame, self.runner.get_pose, time.perf_counter(), kwargs)

    def close(self) -> None:
        """Release the model, and close the window and a processor of ours with a device. Safe to call twice.

        Raises what the processor raises that cannot switch its device off, after the others are closed.
        """
        self.is_initialized = False
        self._view = self._first = None
        self._regions.reset()
        with ExitStack() as stack:
            if self.display is not None:
                stack.callback(_destroy, self.display)
            stack.callback(self.runner.close)
            if self._processor is not None:
                stack.callback(self._processor.close)

    def __del__(self) -> None:  # callers that drop the object want its memory back, and its devices off
        with suppress(Exception):  # the constructor may have failed
            if self._processor is not None:
                self._processor.close()
        with suppress(Exception):
            if self.is_initialized or isinstance(self.runner, ModelRunner):
                self.runner.close()

    def _configure(self, frame: Image) -> None:
        shape = (frame.shape[0], frame.shape[1])
        self._regions.configure(shape, self.cropping, self.dynamic, self.resize, self._profiles_regions)
        if isinstance(self.runner, ModelRunner) and self.runner.model is not None:
            self._regions.require(self.runner.model.card.least_image)

    def _profiles_regions(self) -> Sequence[Region]:
        if isinstance(self.runner, ModelRunner):
            self.runner.load_model()
        return () if self.profile is None else self.profile.regions()

    def _rgb(self, image: Image) -> Image:
        return utils.img_to_rgb(image) if self.convert2rgb else np.ascontiguousarray(image)

    def _infer(self, frame: Image, predict: Any, captured_at: float, keywords: Mapping[str, Any]) -> Array:
        last = self._view
        processed, self._first = self.process_frame(frame), None
        view = self._view
        if view is None or view is last:  # a subclass does without ours
            view = self._view = self._view_of(frame, processed)
        # A subclass may have changed the image; a frame that get_pose is asked for is always processed.
        view.image, view.captured_at, view.is_own, view.is_known = processed, captured_at, False, False
        self._place(view, predict(processed))
        return self._post_process_pose(processed, **keywords)

    def _view_of(self, frame: Image, processed: Image) -> FrameView:
        """The way of a frame through a subclass's own `process_frame`. If the size is that of our cut, so is the place."""
        self._configure(frame)
        image, transform = self._regions.cut(frame)
        if image.shape[:2] != processed.shape[:2]:
            transform = CropTransform()
        return FrameView(frame, processed, transform, time.perf_counter())

    def _place(self, view: FrameView, raw: Array) -> None:
        """Take the network's pose: map it to the frame, and follow the animal."""
        view.raw, view.pose = raw, in_frame(raw, view.transform)
        self._regions.follow(view.pose)
        if self._regions.chain.looks_again and isinstance(self.runner, ModelRunner):
            image, transform = self._regions.cut(view.frame)
            second = FrameView(view.frame, self._rgb(image), transform, view.captured_at, is_own=False)
            on_pose, self.runner.on_pose = self.runner.on_pose, None
            try:
                second.raw = self.runner.get_pose(second.image)
            finally:
                self.runner.on_pose = on_pose
            view.raw, view.pose = second.raw, in_frame(second.raw, transform)
            view.seen = second.image
            self._regions.follow(view.pose)
        if self._processor is not None:
            self._processor.clock.posed_at = time.perf_counter()
        self._pose, self._pose_is_set = view.pose, False

    def _on_pose(self, image: Image, raw: NDArray[np.float32]) -> Array:
        """What `runner.get_pose` returns to a caller who runs it on an image of `process_frame`."""
        view = self._view
        if view is None or image is not view.image or not view.is_own:
            return raw
        if view.is_known:
            view.is_done = True
        if view.is_done and self._pose is not None:
            return self._pose
        self._place(view, raw)
        assert view.pose is not None
        return view.pose if self._hands_on else self._process(view, {})

    def _post_process_pose(self, processed_frame: Image, **kwargs: Any) -> Array:
        """Show the pose, give it to the processor, and return it, in pixels of the frame.

        Args:
            processed_frame: what `process_frame` returned, or an image of its size that was made of it. `pose` is the network's
                pose in it, see there.
            kwargs: for the processor.
        """
        view = self._view
        if view is None or not _is_of(processed_frame, view):
            view = FrameView(processed_frame, processed_frame, CropTransform(), time.perf_counter())
        if self._pose_is_set and self._pose is not None:
            if view.pose is None and not view.is_done:  # by a caller who ran another network
                self._place(view, self._pose)
            else:  # what runner.get_pose returned, or a copy of it, is in pixels of the frame already
                view.pose, self._pose_is_set = self._pose, False
        if view.is_own:
            self._hands_on = True
        if view.is_done and self._pose is not None:
            return self._pose
        if view.pose is None:
            raise UsageError(
                "there is no pose yet: call runner.get_pose(processed_frame), and set pose to what it returns"
            )
        return self._process(view, kwargs)

    def _process(self, view: FrameView, keywords: Mapping[str, Any]) -> Array:
        assert view.raw is not None
        assert view.pose is not None
        seen = view.image if view.seen is None else view.seen
        if self.display is not None and not show(self.display, seen, view.raw):
            self.display = None
        self._pose, view.is_done = view.pose, True
        if self._processor is not None:
            if isinstance(self.runner, ModelRunner) and self.runner.model is not None:
                self._processor.open(self.runner.model.card, (view.frame.shape[1], view.frame.shape[0]))
            self._pose = self._processor.process(view.pose, view.captured_at, keywords)
        return self._pose


def _is_of(processed: Image, view: FrameView) -> bool:
    """Whether an image is that of a view, or was made of it by a caller who has not had its pose yet."""
    return processed is view.image or (view.pose is None and processed.shape[:2] == view.image.shape[:2])


def _destroy(display: Any) -> None:
    with suppress(Exception):  # somebody may have closed the window
        display.destroy()


def _weakly(live: DLCLive) -> Any:
    """`_on_pose` of an object that may be dropped: the runner must not keep it, and the model with it, in memory."""
    reference = weakref.ref(live)

    def on_pose(image: Image, raw: NDArray[np.float32]) -> Array:
        owner = reference()
        return raw if owner is None else owner._on_pose(image, raw)

    return on_pose
