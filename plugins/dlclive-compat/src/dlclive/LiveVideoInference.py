"""Poses of a live video, with the interface of the prototype of DeepLabCut-live 3.0."""  # noqa: N999 - its name there

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive.applications.pose_arrays import FramePose
from dlclive.live_inference import analyze_live_video as _analyze
from dlclive.live_inference import main

__all__ = ["analyze_live_video", "main"]


def analyze_live_video(
    model_path: str | Path,
    camera: float | str = 0,
    experiment_name: str = "Test",
    model_type: str | None = None,
    device: str | None = "cpu",
    precision: str = "FP32",
    cropping: Sequence[int] | None = None,
    dynamic: Sequence[float] = (False, 0.5, 10),
    resize: float | None = None,
    processor: object = None,
    display: bool = False,
    pcutoff: float = 0.5,
    convert2rgb: bool = True,  # noqa: ARG001 - callers pass it
    display_radius: int = 3,
    display_cmap: str | None = None,
    save_poses: bool = False,
    save_dir: str | Path = "model_predictions",
    draw_keypoint_names: bool = False,
    cmap: str = "bmy",
    get_sys_info: bool = True,
    save_video: bool = True,
    single_animal: bool = True,
    max_frames: int | None = None,
) -> tuple[list[FramePose], list[float]]:
    """As `dlclive.live_inference.analyze_live_video`, with the defaults of `dlclive.benchmark_pytorch.analyze_video`.

    `convert2rgb` has no effect: the network always gets RGB. `display_cmap` is another name of `cmap`.
    """
    return _analyze(
        model_path,
        model_type,
        device,
        camera=camera,
        experiment_name=experiment_name,
        precision=precision,
        display=display,
        pcutoff=pcutoff,
        display_radius=display_radius,
        resize=resize,
        cropping=cropping,
        dynamic=dynamic,
        save_poses=save_poses,
        save_dir=save_dir,
        draw_keypoint_names=draw_keypoint_names,
        cmap=display_cmap or cmap,
        get_sys_info=get_sys_info,
        save_video=save_video,
        single_animal=single_animal,
        processor=processor,
        max_frames=max_frames,
    )


if __name__ == "__main__":
    raise SystemExit(main())
