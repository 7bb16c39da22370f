"""Benchmarks of a network on videos, with the interface of deeplabcut-live 1.1.0.

The work is done by a session of dlclive-core: the video is decoded, and files are written, in threads beside the one that
runs the network. For more than one number, use `dlclive benchmark`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlclive.applications.benchmark_data import DATA_URL, download_benchmarking_data
from dlclive.applications.inference_files import save_inf_times
from dlclive.applications.labelled_frames import draw_pose_and_write, setup_video_writer
from dlclive.applications.messages import report
from dlclive.applications.network_options import NetworkOptions
from dlclive.applications.pose_files import write_multiindex_tables
from dlclive.applications.run_sinks import Looks
from dlclive.applications.system_facts import get_system_info
from dlclive.applications.video_analysis import VideoAnalysis

__all__ = [
    "DATA_URL",
    "benchmark",
    "benchmark_videos",
    "download_benchmarking_data",
    "draw_pose_and_write",
    "get_system_info",
    "main",
    "save_inf_times",
    "save_poses_to_files",
    "setup_video_writer",
]


def benchmark_videos(
    model_path: str | Path,
    model_type: str,
    video_path: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    n_frames: int = 1000,
    tf_config: object = None,
    resize: float | Sequence[float | None] | None = None,
    pixels: float | Sequence[float | None] | None = None,
    cropping: Sequence[int] | None = None,
    dynamic: Sequence[float] = (False, 0.5, 10),
    print_rate: bool = False,
    display: bool = False,
    pcutoff: float = 0.5,
    display_radius: int = 3,
    cmap: str = "bmy",
    save_poses: bool = False,
    save_video: bool = False,
    single_animal: bool = True,
    device: str | None = None,
    precision: str = "FP32",
    draw_keypoint_names: bool = False,
) -> None:
    """Run `benchmark` on each video, at each size, and save the times.

    Args:
        video_path: one video, or a list.
        output: folder for `save_inf_times` and the files of `benchmark`; None: the times are not saved, other files go
            beside the video.
        resize, pixels: one value, or a list: a run for each. With both, pixels counts.

    All other arguments are those of `benchmark`.
    """
    videos = _listed(video_path)
    if pixels is not None and pixels != []:
        sizes: list[tuple[Any, Any]] = [(None, value) for value in _listed(pixels)]
    elif resize is not None and resize != []:
        sizes = [(value, None) for value in _listed(resize)]
    else:
        sizes = [(None, None)]
    for video in videos:
        runs: list[list[float]] = []
        im_sizes: list[tuple[int, int]] = []
        meta: dict[str, Any] = {}
        for factor, count in sizes:
            times, im_size, meta = benchmark(
                model_path,
                model_type,
                video,
                tf_config=tf_config,
                device=device,
                resize=factor,
                pixels=count,
                single_animal=single_animal,
                cropping=cropping,
                dynamic=dynamic,
                n_frames=n_frames,
                print_rate=print_rate,
                precision=precision,
                display=display,
                pcutoff=pcutoff,
                display_radius=display_radius,
                cmap=cmap,
                save_dir=output,
                save_poses=save_poses,
                save_video=save_video,
                draw_keypoint_names=draw_keypoint_names,
            )
            runs.append(times)
            im_sizes.append(im_size)
            report(_summary(video, im_size, times))
        if output is not None:
            model = Path(model_path).name
            save_inf_times(get_system_info(), runs, im_sizes, model=model, meta=meta, output=output)


def benchmark(
    model_path: str | Path,
    model_type: str,
    video_path: str | Path,
    tf_config: object = None,  # noqa: ARG001 - callers pass it
    device: str | None = None,
    resize: float | None = None,
    pixels: float | None = None,
    single_animal: bool = True,
    cropping: Sequence[int] | None = None,
    dynamic: Sequence[float] = (False, 0.5, 10),
    n_frames: int = 1000,
    print_rate: bool = False,
    precision: str = "FP32",
    display: bool = True,
    pcutoff: float = 0.5,
    display_radius: int = 3,
    cmap: str = "bmy",
    save_dir: str | Path | None = None,
    save_poses: bool = False,
    save_video: bool = False,
    draw_keypoint_names: bool = False,
) -> tuple[list[float], tuple[int, int], dict[str, Any]]:
    """Analyse a video frame by frame, and measure each frame.

    Args:
        model_path: file or folder of the model.
        model_type: "pytorch", "onnx", "openvino" or "tensorrt"; "base": the runtime that reads the file.
        video_path: the video.
        tf_config: not used.
        device: "cpu", "cuda", "cuda:1"; None: a GPU if there is one.
        resize: factor of both sides, before the network.
        pixels: resize to so many pixels instead.
        single_animal: the best animal only; otherwise all.
        cropping: x1, x2, y1, y2 in pixels.
        dynamic: (state, threshold, margin in pixels): follow the animal with a window.
        n_frames: how many frames; 0 or less: all.
        print_rate: show the rate of each frame.
        precision: "FP32" or "FP16".
        display: show the frames and keypoints in a window.
        pcutoff, display_radius, cmap, draw_keypoint_names: how keypoints are drawn.
        save_dir: folder for the files; None: the video's.
        save_poses: write `<video>_poses_<time>.h5` and `.csv`, see `save_poses_to_files`.
        save_video: write `<video>_DLCLIVE_LABELLED_<time>.mp4`, at the full size of the video.

    Returns:
        Seconds of each frame, from the crop to the pose, the first one with the loading of the network; (width, height) of
        the resized frame; and a dict about the video and the network.

    Raises:
        SourceError: the video cannot be opened.
        UsageError, ModelError, DataError: as the message says.
    """
    result = VideoAnalysis(
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
        looks=Looks(pcutoff=pcutoff, radius=display_radius, cmap=cmap, names=draw_keypoint_names),
        folder=save_dir,
        pixels=pixels,
        n_frames=n_frames,
        display=display,
        save_video=save_video,
        print_rate=print_rate,
    ).run()
    analysis, names = result.analysis, result.names
    if save_poses:
        metadata = analysis.parameters["cfg"]["metadata"]
        individuals = 1 if single_animal else len(metadata["individuals"])
        raw = [
            {"frame": index, "pose": pose.single() if single_animal else pose.keypoints}
            for index, pose in zip(analysis.memory.indices, analysis.memory.poses, strict=True)
        ]
        save_poses_to_files(video_path, names.folder, individuals, metadata["bodyparts"], raw, names.stamp)
        stem = names.folder / f"{Path(video_path).stem}_poses_{names.stamp}"
        sys.stderr.write(f"written: {stem}.h5, {stem}.csv\n")
    meta = {**result.facts.to_meta(), "dlclive_params": analysis.parameters}
    return analysis.times, result.im_size, meta


def save_poses_to_files(
    video_path: str | Path,
    save_dir: str | Path,
    n_individuals: int,
    bodyparts: Sequence[str],
    poses: Sequence[Mapping[str, Any]],
    timestamp: str,
) -> None:
    """Write `<video>_poses_<timestamp>.h5` and `.csv` in the layout of deeplabcut-live 1.1.0.

    The columns are bodyparts and coords, for several animals individuals (individual_0, individual_1, ...), bodyparts and
    coords; row n is frame n. DeepLabCut's own tools need a level "scorer", which `analyze_video` and `dlclive analyze` write.

    Args:
        poses: a list of {"frame": number, "pose": (K, 3) or (N, K, 3)}.

    Raises:
        OutputExistsError: one of the files exists.
        DataError: there are no poses, or the files cannot be written.
    """
    stem = Path(save_dir) / f"{Path(video_path).stem}_poses_{timestamp}"
    write_multiindex_tables(stem, n_individuals, bodyparts, poses)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command dlc-live-benchmark."""
    from dlclive.applications.command_lines import benchmark_command

    return benchmark_command(arguments, benchmark_videos)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _summary(video: str | Path, im_size: tuple[int, int], times: Sequence[float]) -> str:
    """One line for people."""
    later = np.asarray(times[1:] or times)
    if not len(later):
        return f"{video}: no frames"
    return (
        f"{video}: {im_size[0]} x {im_size[1]}, {len(times)} frames, mean {1e3 * later.mean():.1f} ms "
        f"({1 / later.mean():.1f} frames/s), p95 {1e3 * np.percentile(later, 95):.1f} ms"
    )


if __name__ == "__main__":
    raise SystemExit(main())
