"""The command lines of deeplabcut-live: dlc-live-benchmark, and `python -m` of the two kinds of analysis.

Each gets the function that it calls.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from dlclive.applications.messages import report, tell
from dlclive.applications.pose_arrays import FramePose
from dlclive_core import DLCLiveError

Analyze = Callable[..., tuple[Sequence[FramePose], Sequence[float]]]
"""A function that returns poses and times."""


def benchmark_command(arguments: Sequence[str] | None, benchmark_videos: Callable[..., None]) -> int:
    """dlc-live-benchmark: with the arguments of deeplabcut-live 1.1.0; returns the exit code."""
    parser = _parser("dlc-live-benchmark", "Run a network on a video, and measure each frame.")
    parser.add_argument("model_path", help="file or folder of the model")
    parser.add_argument("video_path", nargs="+", help="one or more videos")
    parser.add_argument("model_type", help='"pytorch", "onnx", "openvino", "tensorrt"; "base": by the file')
    parser.add_argument("device", help='"cpu", "cuda", "cuda:1"; "auto": a GPU if there is one')
    _add_network(parser, several_sizes=True)
    _add_looks(parser, radius=5)
    _add_files(parser)
    parser.add_argument("--pixels", type=float, nargs="+", help="resize the frames to so many pixels, instead of -r")
    parser.add_argument("-n", "--n-frames", type=int, default=1000, help="how many frames; 0: all (default: 1000)")
    parser.add_argument("--print-rate", action="store_true", help="show the rate of each frame")
    options = parser.parse_args(arguments)

    def run() -> None:
        benchmark_videos(
            options.model_path,
            options.model_type,
            options.video_path,
            output=options.save_dir,
            n_frames=options.n_frames,
            resize=options.resize,
            pixels=options.pixels,
            print_rate=options.print_rate,
            save_video=options.save_video,
            **_common(options, "device"),
        )
        if options.get_sys_info:
            print_system()

    return _exit_code(run)


def video_command(arguments: Sequence[str] | None, analyze_video: Analyze) -> int:
    """`python -m dlclive.benchmark_pytorch`; returns the exit code."""
    parser = _parser("python -m dlclive.benchmark_pytorch", "Estimate poses in a recorded video.")
    parser.add_argument("model_path", help="file or folder of the model")
    parser.add_argument("video_path", help="the video")
    _add_runtime(parser)
    _add_network(parser)
    _add_looks(parser, radius=3)
    _add_files(parser)
    parser.add_argument("-n", "--n-frames", type=int, default=0, help="how many frames; 0: all (default)")
    options = parser.parse_args(arguments)

    def run() -> None:
        poses, times = analyze_video(
            options.model_path,
            options.video_path,
            model_type=options.model_type,
            n_frames=options.n_frames,
            save_video=options.save_video,
            get_sys_info=options.get_sys_info,
            save_dir=options.save_dir,
            resize=options.resize,
            **_common(options, "device"),
        )
        _print_result(len(poses), times, options)

    return _exit_code(run)


def live_command(arguments: Sequence[str] | None, analyze_live_video: Analyze) -> int:
    """`python -m dlclive.LiveVideoInference` and `python -m dlclive.live_inference`; returns the exit code."""
    parser = _parser("python -m dlclive.LiveVideoInference", "Estimate poses in a camera's frames until Ctrl-C.")
    parser.add_argument("model_path", help="file or folder of the model")
    parser.add_argument(
        "--camera", default="0", help="number of a webcam, its path, or the address of a stream (default: 0)"
    )
    parser.add_argument("--experiment-name", default="Test", help='begins the names of the files (default: "Test")')
    _add_runtime(parser)
    _add_network(parser)
    _add_looks(parser, radius=5)
    _add_files(parser)
    parser.add_argument("-n", "--max-frames", type=int, help="end after so many frames")
    options = parser.parse_args(arguments)

    def run() -> None:
        poses, times = analyze_live_video(
            options.model_path,
            options.model_type,
            camera=int(options.camera) if options.camera.isdecimal() else options.camera,
            experiment_name=options.experiment_name,
            max_frames=options.max_frames,
            save_video=options.save_video,
            get_sys_info=options.get_sys_info,
            save_dir=options.save_dir,
            resize=options.resize,
            **_common(options, "device"),
        )
        _print_result(len(poses), times, options)

    return _exit_code(run)


def print_system() -> None:
    """The machine, on standard error."""
    from dlclive.applications.system_facts import get_system_info

    facts = get_system_info()
    for name in ("host_name", "op_sys", "device_type", "device", "dlclive_version"):
        value = facts[name]
        tell(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def _parser(program: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=program, description=description, allow_abbrev=False)


def _add_runtime(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model-type", help='"pytorch", "onnx", "openvino", "tensorrt"; default: by the file')
    parser.add_argument("--device", default="auto", help='"cpu", "cuda", "cuda:1"; default: a GPU if there is one')


def _add_network(parser: argparse.ArgumentParser, *, several_sizes: bool = False) -> None:
    parser.add_argument("-p", "--precision", default="FP32", help='"FP32" or "FP16" (default: FP32)')
    sizes: dict[str, Any] = {"nargs": "+"} if several_sizes else {}
    parser.add_argument("-r", "--resize", type=float, help="factor of both sides, for example 0.5", **sizes)
    parser.add_argument("-x", "--cropping", type=int, nargs=4, metavar=("X1", "X2", "Y1", "Y2"), help="in pixels")
    parser.add_argument(
        "-y",
        "--dynamic",
        type=number,
        nargs=3,
        default=(False, 0.5, 10),
        metavar=("STATE", "THRESHOLD", "MARGIN"),
        help="follow the animal with a window, for example 1 0.5 10",
    )
    parser.add_argument("--all-animals", dest="single_animal", action="store_false", help="not only the best animal")


def _add_looks(parser: argparse.ArgumentParser, *, radius: int) -> None:
    parser.add_argument("-d", "--display", action="store_true", help="show the frames and keypoints in a window")
    parser.add_argument(
        "-c", "--pcutoff", type=float, default=0.5, help="lowest confidence that is drawn (default: 0.5)"
    )
    parser.add_argument("-dr", "--display-radius", type=int, default=radius, help=f"in pixels (default: {radius})")
    parser.add_argument("--draw-keypoint-names", action="store_true", help="write the names beside the keypoints")
    parser.add_argument("--cmap", default="bmy", help='colorcet map of the keypoints (default: "bmy")')


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save-poses", action="store_true", help="write tables of the poses")
    parser.add_argument("--save-video", action="store_true", help="write a video with the keypoints drawn on it")
    parser.add_argument("--save-dir", default="model_predictions", help='for the files (default: "model_predictions")')
    parser.add_argument("--no-sys-info", dest="get_sys_info", action="store_false", help="without the machine's facts")


def _common(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options that all three functions take by the same name."""
    shared = ("precision", "cropping", "dynamic", "single_animal", "display", "pcutoff", "display_radius")
    return {name: getattr(options, name) for name in (*names, *shared, "draw_keypoint_names", "cmap", "save_poses")}


def number(text: str) -> float:
    """A number, or a word for true or false: the first of the three values of -y."""
    words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
    return words[text.lower()] if text.lower() in words else float(text)


def _print_result(count: int, times: Sequence[float], options: argparse.Namespace) -> None:
    later = list(times[1:] or times)
    rate = len(later) / sum(later) if later and sum(later) else 0.0
    report(f"{count} frames, {rate:.1f} frames/s; files: {options.save_dir}")


def _exit_code(run: Callable[[], None]) -> int:
    """Run; an error is one line."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")
        try:
            run()
        except DLCLiveError as error:
            tell(f"error: {error}")
            return error.exit_code
        except KeyboardInterrupt:
            return 130
    return 0
