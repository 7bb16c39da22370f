"""Poses of a recorded video, with the interface of the prototype of DeepLabCut-live 3.0: `analyze_video`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.pose_arrays import FramePose
from dlclive.applications.run_sinks import Looks
from dlclive.applications.video_analysis import VideoAnalysis

__all__ = ["analyze_video", "main"]


def analyze_video(
    model_path: str | Path,
    video_path: str | Path,
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
    n_frames: int = 0,
) -> tuple[list[FramePose], list[float]]:
    """Estimate poses in a recorded video.

    Args:
        model_path: file or folder of the model.
        video_path: the video.
        model_type: "pytorch", "onnx", "openvino" or "tensorrt"; None: the runtime that reads the file.
        device: "cpu", "cuda", "cuda:1"; None or "auto": a GPU if there is one.
        precision: "FP32" or "FP16".
        cropping: x1, x2, y1, y2 in pixels.
        dynamic: (state, threshold, margin in pixels): follow the animal with a window.
        resize: factor of both sides, before the network.
        processor: in deeplabcut-live's style: `process(pose, **kwargs)`.
        display: show the frames and keypoints in a window.
        convert2rgb: without effect: the network always gets RGB.
        pcutoff, display_radius, cmap, draw_keypoint_names: how keypoints are drawn; `display_cmap` is another name of `cmap`.
        save_poses: write DeepLabCut's tables `<video>_poses_<time>.h5` and `.csv`, and `<video>_timestamps_<time>.csv`.
        save_dir: folder for the files; created.
        get_sys_info: write the machine and its packages to `<video>_system_<time>.json`.
        save_video: write `<video>_DLCLIVE_LABELLED_<time>.mp4`.
        single_animal: poses are (K, 3) of the best animal; otherwise (N, K, 3) of all.
        n_frames: how many frames; 0: all.

    Returns:
        A list of {"frame": number, "pose": array}, in pixels of the full frame; and the seconds of each, the first one with the
        loading of the network.

    Raises:
        SourceError: the video cannot be opened.
        UsageError, ModelError, DataError: as the message says.
    """
    analysis = (
        VideoAnalysis(
            video=video_path,
            network=NetworkOptions(
                model_path=model_path,
                model_type=model_type,
                device=device,
                precision=precision,
                single_animal=single_animal,
                cropping=cropping,
                dynamic=dynamic,
                resize=resize,
            ),
            looks=Looks(pcutoff=pcutoff, radius=display_radius, cmap=display_cmap or cmap, names=draw_keypoint_names),
            folder=save_dir,
            n_frames=n_frames,
            processor=processor,
            display=display,
            save_tables=save_poses,
            save_video=save_video,
            save_system=get_sys_info,
        )
        .run()
        .analysis
    )
    return analysis.poses, analysis.times


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of `python -m dlclive.benchmark_pytorch`."""
    from dlclive.applications.command_lines import video_command

    return video_command(arguments, analyze_video)


if __name__ == "__main__":
    raise SystemExit(main())
