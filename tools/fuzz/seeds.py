"""Valid files, from which hostile ones are made."""

from __future__ import annotations

import json
import sqlite3
import zlib
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dlclive_core import ModelCard, Skeleton
from dlclive_core.profiles import Machine, Profile, TableRow, Variant, profile_to_json
from dlclive_core.regions import FollowingCropSpec
from dlclive_core.runtimes import AssemblyRules

KEYPOINTS = ("snout", "leftear", "rightear", "tailbase")


def cards() -> list[Any]:
    """A card with everything in it, and a short one."""
    edges = ((0, 1), (0, 2), (1, 3))
    full = ModelCard(
        net_type="dlcrnet_ms5", skeleton=Skeleton(KEYPOINTS, edges), individuals=("a", "b"), multi_animal=True,
        unique_keypoints=("lever",), scorer="DLC_Dlcrnet_maze", stride=8.0, pad_divisor=(32, 32), input_size=(256, 320),
        assembly=AssemblyRules(edges=edges, individuals=2), identity=True, source_sha256="ab" * 32, format="onnx",
    )  # fmt: skip
    short = {"card_version": 1, "net_type": "resnet_50", "skeleton": {"keypoints": list(KEYPOINTS)}}
    return [json.loads(full.to_json()), short]


def kept_frames() -> list[Any]:
    """The JSON of a frame of several animals with names, and of one of a single animal."""
    keypoints = np.arange(24.0).reshape(2, 4, 3).tolist()
    keypoints[1][2] = [None, None, 0.0]
    several = {
        "frame": 12, "seconds": 0.4, "wall_time": "2026-11-29T10:00:00.400+01:00", "reason": "jump", "score": 0.25,
        "keypoints": keypoints, "ids": ["a", "b"], "unique": [[1.0, 2.0, 0.9]],
    }  # fmt: skip
    return [several, {**several, "keypoints": keypoints[:1], "ids": None, "unique": None}]


def labelling_projects() -> list[Any]:
    """What is read of the `config.yaml` of a project of each kind."""
    videos = {"/data/one.mp4": {"crop": "0, 640, 0, 480"}, "C:\\rig\\two.avi": {"crop": "0, 640, 0, 480"}}
    single = {
        "Task": "maze", "scorer": "Ada", "multianimalproject": False, "video_sets": videos, "bodyparts": list(KEYPOINTS),
        "iteration": 2,
    }  # fmt: skip
    several = {
        **single, "multianimalproject": True, "individuals": ["a", "b"], "multianimalbodyparts": list(KEYPOINTS),
        "uniquebodyparts": ["lever"], "bodyparts": "MULTI!", "video_sets": {},
    }  # fmt: skip
    return [single, several]


def configurations() -> list[Any]:
    """Two of DeepLabCut's `pytorch_config.yaml`, as far as they are read."""
    heatmap = {"channels": [2048, 4], "kernel_size": [3], "strides": [2]}
    data = {
        "bbox_margin": 20, "colormode": "RGB",
        "inference": {"normalize_images": True, "auto_padding": {"pad_height_divisor": 32, "pad_width_divisor": 32}},
    }  # fmt: skip
    single = {
        "net_type": "resnet_50", "method": "bu", "data": data,
        "metadata": {
            "project_path": "/data/maze", "pose_config_path": "/data/maze/pytorch_config.yaml", "bodyparts": list(KEYPOINTS),
            "unique_bodyparts": [], "individuals": ["animal"], "with_identity": None,
        },
        "model": {
            "backbone": {"type": "ResNet", "model_name": "resnet50_gn", "output_stride": 16},
            "backbone_output_channels": 2048,
            "heads": {
                "bodypart": {
                    "type": "HeatmapHead", "heatmap_config": heatmap, "locref_config": {**heatmap, "channels": [2048, 8]},
                    "predictor": {"type": "HeatmapPredictor", "locref_std": 7.2801, "apply_sigmoid": False},
                }
            },
        },
    }  # fmt: skip
    crops: dict[str, Any] = json.loads(json.dumps(single))
    crops |= {"method": "TD", "net_type": "rtmpose_s", "detector": {"model": {"type": "SSDLite"}, "data": data}}
    crops["metadata"] |= {"individuals": ["a", "b"], "unique_bodyparts": ["lever"]}
    crops["data"]["inference"]["top_down_crop"] = {
        "width": 256,
        "height": 256,
        "margin": 10,
        "crop_with_context": False,
    }
    crops["model"]["heads"]["bodypart"] |= {"type": "RTMCCHead", "input_size": [256, 256]}
    return [single, crops]


def projects() -> list[Any]:
    """DeepLabCut's `config.yaml`."""
    return [
        {
            "Task": "maze", "scorer": "ada", "date": "Jan1", "multianimalproject": True, "identity": None,
            "project_path": "/data/maze", "engine": "pytorch", "video_sets": {"/data/a.mp4": {"crop": "0, 640, 0, 480"}},
            "individuals": ["a", "b"], "multianimalbodyparts": list(KEYPOINTS), "bodyparts": "MULTI!",
            "skeleton": [["snout", "tailbase"]],
            "TrainingFraction": [0.95], "iteration": 0, "snapshotindex": -1, "pcutoff": 0.6, "colormap": "rainbow",
        }
    ]  # fmt: skip


def sessions() -> list[Any]:
    """Session files: one source with everything, and several sources."""
    model = {
        "path": "mouse.onnx",
        "device": "cpu",
        "detect_every": 2,
        "follow": True,
        "runtime_options": {"threads": 2},
    }
    single = {
        "source": {"basler": {"serial": 24060123}}, "model": model, "processors": [{"kalman": {"horizon": 0.02}}, "gate"],
        "sinks": [{"tables": "mouse.h5"}, {"web": {"port": 8000}}], "out": "today", "overwrite": False,
        "regions": {"cropping": [0, 320, 0, 240], "dynamic": [0.5, 10], "resize": 0.5},
        "limits": {"seconds": 600, "max_frames": 1000, "deadline": 0.1},
    }  # fmt: skip
    right = {"name": "right", "source": "camera:1", "model": "other.onnx", "sinks": [{"tables": "right.h5"}]}
    return [single, {"sources": ["camera:0", right], "model": "mouse.onnx", "limits": {"stale_after": 2.0}}]


def profiles() -> list[Any]:
    """A profile with everything in it."""
    profile = Profile(
        model="mouse.onnx", sha256="ab" * 32, machine=Machine("cpu", 8, "Linux", ("gpu",)), runtime="openvino", device="cpu",
        precision="int8", options={"threads": 2},
        variant=Variant("mouse.dlclive/m.xml", "cd" * 32, (("mouse.dlclive/m.bin", "ef" * 32),)),
        resize=0.5, follow=FollowingCropSpec(window=(64, 48)), clip="clip.mp4", max_error=0.5, created="2026-01-01",
        versions={"numpy": "2"},
        table=(TableRow(label="openvino:int8:cpu at 0.5", p50_ms=1.5, p99_ms=2.5, p95_px=0.25, frames=90),),
    )  # fmt: skip
    return [json.loads(profile_to_json(profile))]


def journal_headers() -> list[Any]:
    """The header of a journal of poses."""
    return [
        {
            "version": 1, "card": cards()[0], "source": "camera:0", "is_live": True, "frame_size": [320, 240], "fps": 30.0,
            "started_at": datetime(2026, 1, 1, tzinfo=timezone.utc).isoformat(), "started_clock": 12.5,
        }
    ]  # fmt: skip


def journal(header: Any) -> bytes:
    """A journal with this header and some rows, as SQLite writes it."""
    row = np.linspace(0, 1, 27, dtype=np.float32).tobytes()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT)")
        database.execute("CREATE TABLE frames (frame INTEGER PRIMARY KEY, captured_at_s REAL, float32_values BLOB)")
        database.execute("CREATE TABLE checks (frame INTEGER PRIMARY KEY, crc32 INTEGER)")
        items = header.items() if isinstance(header, dict) else [("header", header)]
        named = {str(name).encode("utf-8", "replace").decode(): json.dumps(value) for name, value in items}
        database.executemany("INSERT INTO header VALUES (?, ?)", named.items())
        database.executemany("INSERT INTO frames VALUES (?, ?, ?)", [(n, n / 30, row) for n in range(40)])
        database.executemany("INSERT INTO checks VALUES (?, ?)", [(n, zlib.crc32(row)) for n in range(40)])
        database.commit()
        database.close()
        return path.read_bytes()


def calibrations() -> list[Any]:
    """OpenCV's calibrations: of one camera, of one with a fisheye lens, and of two."""
    matrix = {"rows": 3, "cols": 3, "dt": "d", "data": [576.0, 0, 316.8, 0, 582.4, 241.7, 0, 0, 1]}
    lens = {"rows": 1, "cols": 5, "dt": "d", "data": [-0.25, 0.08, 0.001, -0.001, 0.0]}
    place = {"R": [0.1, -0.3, 0.2], "T": {"rows": 3, "cols": 1, "dt": "d", "data": [10.0, -20.0, 500.0]}}
    one = {"image_width": 640, "image_height": 480, "camera_matrix": matrix, "distortion_coefficients": lens, **place}
    fisheye = {**one, "distortion_coefficients": [0.05, -0.01, 0.003, -0.001], "fisheye_model": 1, "camera_name": "top"}
    stereo = {"M1": matrix, "D1": lens, "M2": matrix, "D2": lens, "image_size": [640, 480], **place}
    return [one, fisheye, stereo]


def toml_calibrations() -> list[bytes]:
    """Anipose's calibration of two cameras, and Pose2Sim's of one."""
    camera = """[cam_{number}]
name = "{name}"
size = [ 640, 480,]
matrix = [ [ 576.0, 0.0, 316.8,], [ 0.0, 582.4, 241.7,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.25, 0.08, 0.001, -0.001, 0.0,]
rotation = [ 0.1, -0.3, 0.2,]
translation = [ {x}, -20.0, 500.0,]

"""
    metadata = "[metadata]\nadjusted = false\nerror = 0.0\n"
    two = camera.format(number=0, name="left", x=10.0) + camera.format(number=1, name="right", x=-90.0) + metadata
    fisheye = camera.format(number=1, name="top", x=0.5).replace(", 0.0,]\nrotation", "]\nfisheye = true\nrotation")
    return [two.encode(), (fisheye + metadata).encode()]


def csv_files() -> list[bytes]:
    """Tables of poses of one animal and of two, and timestamps of frames and of videos."""
    rows = "".join(f"{n},{n}.5,2.25,0.9,,,\n" for n in range(30))
    one_animal = (
        "scorer,D,D,D,D,D,D\nbodyparts,snout,snout,snout,tail,tail,tail\ncoords,x,y,likelihood,x,y,likelihood\n" + rows
    )
    two_animals = (
        "scorer,D,D,D,D,D,D\nindividuals,a,a,a,b,b,b\nbodyparts,s,s,s,s,s,s\ncoords,x,y,likelihood,x,y,likelihood\n"
        + rows
    )
    times = "frame,captured_at_s,device_time_s,wall_time,inference_ms,latency_ms\n"
    times += "".join(f"{n},{n / 30:.6f},,2026-01-01T12:00:00.{n:06d}+01:00,5.1,7.2\n" for n in range(30))
    video = "frame,video,video_frame,captured_at_s,device_time_s,wall_time\n"
    video += "".join(f"{n},clip.mkv,{n},{n / 30:.6f},{n},2026-01-01T12:00:00.{n:06d}+01:00\n" for n in range(30))
    return [text.encode() for text in (one_animal, two_animals, times, video)]
