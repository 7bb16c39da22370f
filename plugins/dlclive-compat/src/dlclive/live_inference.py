"""Poses of a live video, with the interface of deeplabcut-live 1.1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlclive.applications.live_analysis import LiveAnalysis
from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.pose_arrays import FramePose
from dlclive.applications.pose_files import write_flat_tables
from dlclive.applications.run_sinks import Looks
from dlclive.applications.system_facts import get_system_info

__all__ = ["analyze_live_video", "get_system_info", "main", "save_poses_to_files"]


def analyze_live_video(
    model_path: str | Path,
    model_type: str | None,
    device: str | None = None,
    camera: float | str = 0,
    experiment_name: str = "Test",
    precision: str = "FP32",
    snapshot: object = None,  # noqa: ARG001 - callers pass it
    display: bool = True,
    pcutoff: float = 0.5,
    display_radius: int = 5,
    resize: float | None = None,
    cropping: Sequence[int] | None = None,
    dynamic: Sequence[float] = (False, 0.5, 10),
    save_poses: bool = False,
    save_dir: str | Path = "model_predictions",
    draw_keypoint_names: bool = False,
    cmap: str = "bmy",
    get_sys_info: bool = True,
    save_video: bool = False,
    single_animal: bool = True,
    processor: object = None,
    max_frames: int | None = None,
) -> tuple[list[FramePose], list[float]]:
    """Estimate poses in a camera's frames until Ctrl-C.

    The camera is never waited for: the newest frame is analysed, and the numbers of the poses' frames have gaps where frames
    were dropped. What was written survives if the process or the machine dies; `dlclive recover <save_dir>` completes it.

    Args:
        model_path: file or folder of the model.
        model_type: "pytorch", "onnx", "openvino" or "tensorrt"; "base": the runtime that reads the file.
        device: "cpu", "cuda", "cuda:1"; None: a GPU if there is one.
        camera: number of a webcam (0 is the first), path of its device, or address of a stream.
        experiment_name: begins the names of all files.
        precision: "FP32" or "FP16".
        snapshot: without effect, as in deeplabcut-live.
        display: show the frames and keypoints in a window.
        pcutoff, display_radius, cmap, draw_keypoint_names: how keypoints are drawn.
        resize: factor of both sides, before the network.
        cropping: x1, x2, y1, y2 in pixels.
        dynamic: (state, threshold, margin in pixels): follow the animal with a window.
        save_poses: write DeepLabCut's tables `<name>_poses_<time>.h5` and `.csv`, and `<name>_timestamps_<time>.csv`.
        save_dir: folder for the files; created.
        get_sys_info: write the machine and its packages to `<name>_system_<time>.json`.
        save_video: write `<name>_DLCLIVE_LABELLED_<time>.mp4`.
        single_animal: poses are (K, 3) of the best animal; otherwise (N, K, 3) of all.
        processor: in deeplabcut-live's style: `process(pose, **kwargs)`.
        max_frames: end after so many frames of the camera, dropped ones included.

    Returns:
        A list of {"frame": number, "pose": array}, in pixels of the full frame; and the seconds of each, the first one with the
        loading of the network.

    Raises:
        SourceError: the camera cannot be opened, or was lost for a minute.
        UsageError, ModelError, DataError: as the message says.
    """
    analysis = LiveAnalysis(
        camera=camera,
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
        looks=Looks(pcutoff=pcutoff, radius=display_radius, cmap=cmap, names=draw_keypoint_names),
        folder=str(save_dir),
        name=experiment_name,
        processor=processor,
        display=display,
        save_tables=save_poses,
        save_video=save_video,
        save_system=get_sys_info,
        max_frames=max_frames,
    ).run()
    return analysis.poses, analysis.times


def save_poses_to_files(
    experiment_name: str,
    save_dir: str | Path,
    bodyparts: Sequence[str],
    poses: Sequence[Mapping[str, Any]],
    timestamp: str,
) -> None:
    """Write `<name>_poses_<timestamp>.csv` and `.h5` with columns `frame`, `<bodypart>_x`, `_y`, `_confidence`.

    Args:
        poses: a list of {"frame": number, "pose": (K, 3)}.

    Raises:
        OutputExistsError: one of the files exists.
        DataError: there are no poses, or the files cannot be written.
    """
    write_flat_tables(Path(save_dir) / f"{Path(experiment_name).stem}_poses_{timestamp}", bodyparts, poses)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of `python -m dlclive.live_inference`."""
    from dlclive.applications.command_lines import live_command

    return live_command(arguments, analyze_live_video)


if __name__ == "__main__":
    raise SystemExit(main())
