"""The names of deeplabcut-live 1.1.0, what importing them costs, and what raises one line."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import dlclive
import numpy as np
import pytest
from dlclive import DLCLive, utils
from dlclive.core.inferenceutils import Assembler
from dlclive.engine import Engine
from dlclive.exceptions import DLCLiveError, DLCLiveWarning
from dlclive.factory import build_runner
from dlclive.pose_estimation_pytorch.dynamic_cropping import DynamicCropper, TopDownDynamicCropper
from dlclive.pose_estimation_pytorch.runner import PyTorchRunner, SkipFrames, TopDownConfig
from dlclive.predictor import HeatmapPredictor

import dlclive_core
from dlclive_core import DetectionOptions, FollowingBox, UnsupportedModelError, UsageError

NAMES = {
    "dlclive": "DLCLive Display Processor Engine VERSION __version__ _AVAILABLE_BACKENDS get_available_backends "
    "benchmark_videos download_benchmarking_data",
    "dlclive.benchmark": "download_benchmarking_data benchmark_videos get_system_info save_inf_times benchmark "
    "setup_video_writer draw_pose_and_write save_poses_to_files main",
    "dlclive.live_inference": "get_system_info analyze_live_video save_poses_to_files",
    "dlclive.check_install.check_install": "MODEL_NAME SNAPSHOT_NAME main",
    "dlclive.modelzoo": "_MODELZOO_PATH list_available_models list_available_projects list_available_combinations "
    "load_super_animal_config download_super_animal_snapshot export_modelzoo_model",
    "dlclive.modelzoo.utils": "_MODELZOO_PATH list_available_models list_available_projects list_available_combinations "
    "load_super_animal_config download_super_animal_snapshot",
    "dlclive.modelzoo.pytorch_model_zoo_export": "export_modelzoo_model",
    "dlclive.dlclive": "DLCLive",
    "dlclive.engine": "Engine",
    "dlclive.factory": "build_runner filter_keys",
    "dlclive.exceptions": "DLCLiveError DLCLiveWarning",
    "dlclive.display": "Display Tk Label ImageTk Image ImageDraw cc _TKINTER_AVAILABLE",
    "dlclive.version": "VERSION __version__",
    "dlclive.core.config": "read_yaml",
    "dlclive.core.runner": "BaseRunner",
    "dlclive.core.inferenceutils": "Joint Link Assembly Assembler MatchedPrediction calc_object_keypoint_similarity "
    "match_assemblies parse_ground_truth_data_file find_outlier_assemblies evaluate_assembly evaluate_assembly_greedy",
    "dlclive.processor": "Processor KalmanFilterPredictor",
    "dlclive.processor.processor": "Processor",
    "dlclive.processor.kalmanfilter": "KalmanFilterPredictor",
    "dlclive.predictor": "HeatmapPredictor",
    "dlclive.predictor.single_predictor": "HeatmapPredictor",
    "dlclive.pose_estimation_pytorch": "PyTorchRunner",
    "dlclive.pose_estimation_pytorch.runner": "PyTorchRunner SkipFrames TopDownConfig",
    "dlclive.pose_estimation_pytorch.dynamic_cropping": "DynamicCropper TopDownDynamicCropper",
    "dlclive.pose_estimation_tensorflow.runner": "TensorFlowRunner",
    "dlclive.utils": "convert_to_ubyte resize_frame img_to_rgb gray_to_rgb bgr_to_rgb decode_fourcc get_available_backends "
    "download_file DLCLiveWarning",
}


@pytest.mark.parametrize("module", NAMES)
def test_the_names_of_deeplabcut_live(module: str) -> None:
    if module == "dlclive.display":
        pytest.importorskip("PIL")
    found = importlib.import_module(module)
    for name in NAMES[module].split():
        assert hasattr(found, name), f"{module}.{name}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dlclive.nothing  # type: ignore[attr-defined]
    assert {"DLCLive", "Display", "benchmark_videos"} <= set(dir(dlclive))


def test_the_parameters_of_dlclive() -> None:
    parameters = list(inspect.signature(DLCLive).parameters.values())
    assert [parameter.name for parameter in parameters] == (
        "model_path model_type precision tf_config single_animal device top_down_config top_down_dynamic cropping dynamic "
        "resize convert2rgb processor display pcutoff display_radius display_cmap"
    ).split()
    defaults = [parameter.default for parameter in parameters[1:]]
    expected = [
        "base",
        "FP32",
        None,
        True,
        None,
        None,
        None,
        None,
        (False, 0.5, 10),
        None,
        True,
        None,
        False,
        0.5,
        3,
        "bmy",
    ]
    assert defaults == expected


def test_importing_it_loads_no_library_for_models() -> None:
    code = (
        "import sys, dlclive; from dlclive import DLCLive, Processor, Engine; import dlclive.processor.kalmanfilter; "
        + ("print(sorted({'torch', 'tensorflow', 'cv2', 'PIL', 'scipy', 'pandas', 'onnxruntime'} & set(sys.modules)))")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_version_is_that_of_the_interface() -> None:
    assert dlclive.VERSION == dlclive.__version__ == "1.1.0+dlclive"
    assert dlclive_core.DLCLiveError is DLCLiveError


TENSORFLOW = [
    ("base", "tf"),
    ("pytorch", "tf"),
    ("tensorrt", "tf"),
    ("tensorflow", "model.pt"),
    ("lite", "model.tflite"),
]


def test_a_folder_without_any_model_is_not_called_tensorflows(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(
        UnsupportedModelError, match=r"no model in .*: give a \.pt, \.onnx, \.xml, \.engine file, or a folder"
    ):
        DLCLive(tmp_path)


@pytest.mark.parametrize(("model_type", "name"), TENSORFLOW)
def test_tensorflow_models_are_one_line(tmp_path: Path, model_type: str, name: str) -> None:
    folder = tmp_path / "tf"
    folder.mkdir()
    (folder / "pose_cfg.yaml").touch()
    (folder / "snapshot-1.pb").touch()
    with pytest.raises(UnsupportedModelError, match="convert or train the project with DeepLabCut 3") as raised:
        DLCLive(tmp_path / name, model_type)
    assert "\n" not in str(raised.value)


def test_the_engine_of_a_file(tmp_path: Path) -> None:
    for name, engine in (
        ("m.pt", Engine.PYTORCH),
        ("m.onnx", Engine.ONNX),
        ("m.xml", Engine.OPENVINO),
        ("m.engine", Engine.TENSORRT),
    ):
        (tmp_path / name).touch()
        assert Engine.from_model_path(tmp_path / name) is engine
    assert Engine.from_model_type("ONNX") is Engine.ONNX
    with pytest.raises(ValueError, match=r"Unknown model type: tensor; did you mean 'tensorrt'\?"):
        Engine.from_model_type("tensor")


def test_the_runner_of_each_type(tmp_path: Path) -> None:
    for model_type, name, runtime in (
        ("pytorch", "m.pt", None),
        ("base", "m.pt", None),
        ("base", "m.onnx", None),
        ("onnx", "m.onnx", "onnx"),
        ("openvino", "m.xml", "openvino"),
        ("tensorrt", "m.engine", "tensorrt"),
    ):
        assert build_runner(model_type, tmp_path / name, tf_config=None).runtime == runtime  # type: ignore[attr-defined]


def test_the_options_of_top_down_models() -> None:
    def options(**given: Any) -> dict[str, Any]:
        return PyTorchRunner("m.pt", **given)._detection

    config = {"bbox_cutoff": 0.7, "max_detections": 3, "skip_frames": {"skip": 2, "margin": 20}}
    expected = DetectionOptions(min_score=0.7, max_animals=3, detect_every=3, margin=20).changed_options()
    assert options(top_down_config=config) == expected
    assert config["skip_frames"] == {"skip": 2, "margin": 20}  # the caller's dict is not changed
    assert options(top_down_config=TopDownConfig(0.7, 3, skip_frames=SkipFrames(2, 20))) == expected
    follow = {"follow": FollowingBox(overlap=40), "margin": 10}
    assert options(dynamic=TopDownDynamicCropper(patch_overlap=40)) == follow
    assert options(dynamic={"type": "TopDownDynamicCropper", "patch_overlap": 40, "margin": 10}) == follow
    assert options(dynamic={}) == {"follow": FollowingBox()}
    with pytest.raises(UsageError, match=r"DLCLive\(path, dynamic=\(True, threshold, margin\)\)"):
        options(dynamic=DynamicCropper(0.5, 10))
    with pytest.raises(UsageError, match="no key 'bbox'"):
        options(top_down_config={"bbox": 3})
    with pytest.raises(UsageError, match="precision must be FP32 or FP16; got 'int8'"):
        PyTorchRunner("m.pt", precision="int8")


@pytest.mark.parametrize(
    "call",
    [
        lambda: Assembler({}),
        lambda: importlib.import_module("dlclive.core.inferenceutils").match_assemblies([], []),
        lambda: HeatmapPredictor(),
        lambda: TopDownDynamicCropper().crop(None),
    ],
)
def test_what_is_not_here_says_what_to_use(call: Any) -> None:
    with pytest.raises(DLCLiveError, match=r"(is|are) not part of dlclive") as raised:
        call()
    assert "DLCLive" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_images_as_bytes() -> None:
    np.testing.assert_array_equal(utils.convert_to_ubyte(np.array([[-1, 0, 0.5, 1]])), [[0, 0, 128, 255]])
    np.testing.assert_array_equal(utils.convert_to_ubyte(np.array([[0, 65535]], np.uint16)), [[0, 255]])
    np.testing.assert_array_equal(utils.convert_to_ubyte(np.array([[-3, 127]], np.int8)), [[0, 255]])
    for image in (np.array([[2.0]]), np.array([[np.nan]]), np.array([["a"]])):
        with pytest.raises(UsageError):
            utils.convert_to_ubyte(image)
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(utils.img_to_rgb(image), image[:, :, ::-1])
    np.testing.assert_array_equal(utils.img_to_rgb(image[:, :, 0]), np.repeat(image[:, :, :1], 3, 2))
    assert utils.decode_fourcc(0x34363248) == "H264"
    assert utils.decode_fourcc(None) == utils.decode_fourcc(-1) == ""


def test_no_library_for_models_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "find_spec", lambda name: None)
    with pytest.warns(DLCLiveWarning, match="no library for models is installed; run: pip install .*dlclive-torch"):
        assert utils.get_available_backends() == []


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """A real server, on this machine, that announces more than it sends."""
    import http.server
    import threading

    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/short" else 404)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(dlclive_core.DataError, match="4 of 100 bytes came"):
            utils.download_file(f"{address}/short", tmp_path / "new" / "file")
        with pytest.raises(OSError, match="404"):
            utils.download_file(f"{address}/none", tmp_path / "file")
        server.shutdown()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
