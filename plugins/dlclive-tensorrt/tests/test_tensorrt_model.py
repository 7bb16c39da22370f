"""Running and rejecting engines, on a computer simulated by test doubles."""

import shutil
import threading
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from dlclive_tensorrt.cache_folder import cache_folder
from dlclive_tensorrt.engine_file import MAGIC, plan_facts, read_card, read_engine, write_engine

from dlclive_core import (
    DependencyError,
    FrameError,
    ModelCard,
    ModelError,
    ModelNotFoundError,
    PoseModel,
    Skeleton,
    UnsafeFileError,
    UnsupportedModelError,
    UsageError,
    load_model,
)
from dlclive_core.machine.system import sha256
from dlclive_core.models.network import Setting
from dlclive_core.testing import PoseModelContract


class TestEngine(PoseModelContract):
    @pytest.fixture
    def model(self, engine: Path) -> PoseModel:
        return load_model(engine)

    @pytest.fixture
    def shape(self) -> tuple[int, int]:
        return 128, 160


CONDITIONAL = """
<ir_version: 10, opset_import: ["": 18]>
moved (uint8[N,H,W,3] image, float[N,2,3] conditions) => (float[N,1,2,3] keypoints)
<int64[1] one = {1}, int64[3] inner = {1, 2, 3}, float scale = {0.1}>
{
    wide = Cast<to = 1>(image)
    bright = ReduceMean<keepdims = 0>(wide, inner)
    apart = Unsqueeze(bright, inner_first)
    small = Mul(apart, scale)
    moved = Add(conditions, small)
    keypoints = Unsqueeze(moved, one)
}
"""


@pytest.fixture
def conditional(tmp_path: Path) -> Path:
    """A network that moves its conditions by a tenth of the image's brightness, for up to three animals."""
    model = onnx.parser.parse_model(CONDITIONAL)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray([1, 2], np.int64), "inner_first"))
    card = ModelCard(
        net_type="moved",
        skeleton=Skeleton(("a", "b")),
        individuals=("m1", "m2", "m3"),
        method="conditional",
        input_size=(8, 16),
        format="onnx",
    )
    onnx.helper.set_model_props(model, {"dlclive.card": card.to_json()})
    onnx.save(model, tmp_path / "moved.onnx")
    return tmp_path / "moved.onnx"


def network(path: Path, **options):
    from dlclive_tensorrt.runtime import TensorRTNetwork

    return TensorRTNetwork(path, **options)


def exported(source: Path, **options) -> Path:
    from dlclive_tensorrt.exporter import EngineExporter

    size = options.pop("size", None)
    EngineExporter(**options).export(source, source.with_suffix(".engine"), size=size)
    return source.with_suffix(".engine")


def untrusted(path: Path) -> Path:
    """Remove the record that an engine was built here."""
    shutil.rmtree(cache_folder() / "built")
    return path


def test_keypoints_equal_those_of_the_onnx_file(engine: Path, mouse: Path, pictures: list[np.ndarray]) -> None:
    pytest.importorskip("dlclive_onnx", reason="dlclive-onnx runs the ONNX file")
    with load_model(engine) as ours, load_model(mouse, "onnx", device="cpu") as theirs:
        assert (ours.runtime, ours.device) == ("tensorrt", "cuda:0 (NVIDIA GeForce RTX 4090)")
        for image in pictures:
            np.testing.assert_allclose(ours.predict(image).keypoints, theirs.predict(image).keypoints, atol=1e-4)


def test_a_run_is_one_launch_and_one_wait(machine, engine: Path, pictures: list[np.ndarray]) -> None:
    model = load_model(engine)
    step = ["upload", "execute", "download"]
    assert machine.events == [
        "deserialize",
        *["malloc", "pin"] * 2,
        *step,
        "wait",
        "begin",
        *step,
        "end",
        "launch",
        "wait",
    ]
    machine.events.clear()
    for image in pictures:
        model.predict(image)
    assert machine.events == ["launch", "wait"] * len(pictures)
    model.close()
    assert machine.all_freed()


def test_a_plan_that_cannot_be_captured_runs_step_by_step(machine, engine: Path, pictures: list[np.ndarray]) -> None:
    with load_model(engine) as model:
        expected = [model.predict(image).keypoints for image in pictures]
    machine.cannot_capture = True
    with load_model(engine) as model:
        assert model.device.endswith(", without a CUDA graph")
        machine.events.clear()
        for image, keypoints in zip(pictures, expected, strict=True):
            np.testing.assert_array_equal(model.predict(image).keypoints, keypoints)
        assert machine.events == ["upload", "execute", "download", "wait"] * len(pictures)
    assert machine.all_freed()


@pytest.mark.parametrize(("count", "runs"), [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_batches_are_split_over_the_available_plans(machine, mouse: Path, pictures, count: int, runs: int) -> None:
    with load_model(exported(mouse, size=(160, 128), batches=(3, 1))) as model:
        images = [pictures[index % 4] for index in range(count)]
        alone = [model.predict(image).keypoints for image in images]
        machine.events.clear()
        together = model.predict_batch(images)
        assert machine.events.count("launch") == runs
        for pose, keypoints in zip(together, alone, strict=True):
            np.testing.assert_allclose(pose.keypoints, keypoints, atol=1e-4)
        assert model.predict_batch([]) == []


def test_conditions_are_passed_with_the_images(machine, conditional: Path) -> None:
    path = exported(conditional)
    assert [plan.batch for plan in read_card(path).plans] == [1, 3]
    images = np.stack([np.full((8, 16, 3), value, np.uint8) for value in (10, 20, 30, 40)])
    conditions = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    with network(path) as loaded:
        for count in (1, 2, 4):
            keypoints = loaded.run(images[:count], conditions[:count])["keypoints"]
            expected = conditions[:count] + np.asarray([1, 2, 3, 4], np.float32)[:count, None, None]
            np.testing.assert_allclose(keypoints, expected[:, None], rtol=1e-6)
    assert machine.all_freed()


def test_every_thread_runs_on_the_engines_gpu(machine, mouse: Path, pictures: list[np.ndarray]) -> None:
    machine.cards.append(type(machine.cards[0])())
    path = exported(mouse, size=(160, 128))
    with load_model(path, device="cuda:1") as model:
        assert model.device.startswith("cuda:1")
        other = threading.Thread(target=model.predict, args=(pictures[0],))
        other.start()
        other.join()
        assert set(machine.gpu_of_thread.values()) == {1}
        assert len(machine.gpu_of_thread) == 2


def test_settings_list_the_gpus_that_fit_the_engine(machine, engine: Path, another_tensorrt) -> None:
    from dlclive_tensorrt.runtime import TensorRTNetwork

    kind = type(machine.cards[0])
    machine.cards += [kind(name="NVIDIA A2"), kind()]
    assert TensorRTNetwork.settings(engine) == [Setting("cuda:0", "fp32"), Setting("cuda:2", "fp32")]
    assert TensorRTNetwork.settings(engine.with_suffix(".onnx")) == ()
    another_tensorrt("11.5.0.1")
    assert list(TensorRTNetwork.settings(engine)) == []
    another_tensorrt("11.4.0.106")
    untrusted(engine)
    assert list(TensorRTNetwork.settings(engine)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"name": "NVIDIA RTX A2000"},
            r"mouse\.engine was built for NVIDIA GeForce RTX 4090 .* but this is cuda:0 \(NVIDIA RTX",
        ),
        ({"minor": 7}, r"compute capability 8\.9\), but this is .* \(8\.7\)"),
    ],
)
def test_an_engine_for_another_gpu_is_rejected(machine, engine: Path, change: dict, message: str) -> None:
    machine.cards[0] = type(machine.cards[0])(**change)
    with pytest.raises(UnsupportedModelError, match=message) as caught:
        load_model(engine, trust=True)
    assert "export it here: dlclive export MODEL.onnx mouse.engine" in str(caught.value)
    assert "deserialize" not in machine.events


def test_an_engine_of_another_tensorrt_is_rejected(machine, engine: Path, another_tensorrt) -> None:
    another_tensorrt("11.5.0.1")
    with pytest.raises(UnsupportedModelError, match=r"built with TensorRT 11\.4\.0\.106, but 11\.5\.0\.1 is installed"):
        load_model(engine, trust=True)
    another_tensorrt("10.9.0.34")
    with pytest.raises(DependencyError, match="needs TensorRT 11"):
        load_model(engine, trust=True)
    assert "deserialize" not in machine.events


def test_an_untrusted_engine_is_read_only_on_request(machine, engine: Path) -> None:
    untrusted(engine)
    with pytest.raises(
        UnsafeFileError, match="was not built by you on this computer, and loading an engine executes code in it"
    ):
        load_model(engine)
    assert machine.events == []
    load_model(engine, trust=True).close()
    with pytest.raises(UnsafeFileError):  # trust=True was for one load only
        load_model(engine)


def test_a_replaced_plan_is_rejected_even_with_a_matching_card(machine, engine: Path) -> None:
    card, _ = read_engine(engine)
    evil = b"PLAN of an attacker"
    changed = type(card)(**{name: getattr(card, name) for name in card.__slots__} | {"plans": (plan_facts(1, evil),)})
    write_engine(engine, changed, [evil])
    with pytest.raises(UnsafeFileError):
        load_model(engine)
    engine.write_bytes(engine.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="does not match its card"):
        load_model(engine, trust=True)
    assert machine.events == []


def test_a_plan_without_a_card_is_rejected(machine, engine: Path) -> None:
    _, plans = read_engine(engine)
    engine.write_bytes(plans[0])
    assert not plans[0].startswith(MAGIC)
    with pytest.raises(ModelError, match=r"mouse\.engine has no dlclive card"):
        load_model(engine, trust=True)
    assert machine.events == []


def test_a_plan_that_tensorrt_cannot_read_is_an_error(machine, engine: Path) -> None:
    card, _ = read_engine(engine)
    broken = b"no plan at all"
    changed = type(card)(**{name: getattr(card, name) for name in card.__slots__} | {"plans": (plan_facts(1, broken),)})
    write_engine(engine, changed, [broken])
    with pytest.raises(ModelError, match=r"TensorRT cannot read the engine in mouse\.engine: magic tag does not match"):
        load_model(engine, trust=True)
    assert machine.all_freed()


def test_a_plan_with_another_input_is_rejected(machine, engine: Path) -> None:
    card, plans = read_engine(engine)
    changed = type(card)(
        **{name: getattr(card, name) for name in card.__slots__} | {"plans": (plan_facts(2, plans[0]),)}
    )
    write_engine(engine, changed, plans)
    with pytest.raises(ModelError, match=r"takes image \(1, 128, 160, 3\): dlclive did not export it in this form"):
        load_model(engine, trust=True)
    assert machine.all_freed()


def test_too_little_memory_is_an_error_and_leaks_none(machine, engine: Path) -> None:
    machine.free = 1000
    with pytest.raises(
        ModelError, match=r"not enough memory on the GPU while allocating 0\.1 MB \(0\.0 of 25\.8 GB are free\)"
    ):
        load_model(engine)
    assert machine.all_freed()


def test_too_little_memory_for_the_graph_is_an_error(machine, engine: Path) -> None:
    machine.graphs_fit = False
    with pytest.raises(ModelError, match="not enough memory on the GPU while instantiating a CUDA graph"):
        load_model(engine)
    assert machine.all_freed()


def test_a_missing_driver_is_an_error(machine, engine: Path) -> None:
    machine.cards.clear()
    with pytest.raises(DependencyError, match="needs an NVIDIA GPU and its driver; none responds"):
        load_model(engine)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cpu"}, "has no device 'cpu': choose auto, cuda or cuda:<number>"),
        ({"device": "cuda:3"}, "no GPU 'cuda:3' here"),
        ({"precision": "fp16"}, "is in fp32, not fp16; export it again with --precision fp16"),
        ({"trusted": True}, "did you mean 'trust'"),
    ],
)
def test_invalid_options_are_rejected(engine: Path, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_model(engine, **options)
    load_model(engine, precision="fp32", device="cuda:0").close()


def test_an_image_of_another_size_is_rejected(engine: Path) -> None:
    with load_model(engine) as model, pytest.raises(FrameError, match="fixed to 160 x 128"):
        model.predict(np.zeros((64, 64, 3), np.uint8))


def test_predicting_with_a_closed_model_is_an_error(machine, engine: Path, pictures: list[np.ndarray]) -> None:
    model = load_model(engine)
    model.close()
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.predict(pictures[0])
    assert machine.all_freed()


DETECTOR = """
<ir_version: 10, opset_import: ["": 18]>
found (uint8[N,H,W,3] image) => (float[M,4] {boxes}, float[M] scores)
<float[1,4] box = {{10.0, 20.0, 60.0, 80.0}}, float[1] score = {{0.9}}>
{{
    {boxes} = Identity(box)
    scores = Identity(score)
}}
"""


@pytest.fixture
def top_down(machine, mouse: Path):
    """Turn the demo network into a top-down one, with a detector that always returns one box."""

    def make(boxes: str = "boxes") -> Path:
        detector = mouse.with_name("mouse.detector.onnx")
        onnx.save(onnx.parser.parse_model(DETECTOR.format(boxes=boxes)), detector)
        model = onnx.load(mouse)
        card = ModelCard.from_json(model.metadata_props[0].value)
        card = card.with_(method="top-down", input_size=(128, 160), detector_sha256=sha256(detector))
        onnx.helper.set_model_props(model, {"dlclive.card": card.to_json()})
        onnx.save(model, mouse)
        return exported(mouse)

    return make


def test_the_detector_runs_from_its_onnx_file(top_down, pictures: list[np.ndarray]) -> None:
    with load_model(top_down()) as model:
        pose = model.predict(pictures[0])
        assert pose.boxes is not None
        np.testing.assert_allclose(pose.boxes, [[10, 20, 60, 80, 0.9]])
        assert pose.keypoints.shape == (1, 5, 3)


def test_a_missing_or_foreign_detector_is_rejected(top_down, pictures: list[np.ndarray], tmp_path: Path) -> None:
    path = top_down()
    detector = path.with_name("mouse.detector.onnx")
    elsewhere = detector.rename(tmp_path / "elsewhere.onnx")
    with load_model(path) as model, pytest.raises(ModelNotFoundError, match=r"mouse\.detector\.onnx is not beside it"):
        model.predict(pictures[0])
    detector.write_bytes(b"another")
    with load_model(path) as model, pytest.raises(ModelError, match="is not the detector that"):
        model.predict(pictures[0])
    with load_model(path, detector=elsewhere) as model:
        assert len(model.predict(pictures[0])) == 1
    with (
        load_model(path, detector=detector) as model,
        pytest.raises(ModelError, match="not a detector that ONNX Runtime"),
    ):
        model.predict(pictures[0])
    with (
        load_model(path, detector=tmp_path / "no.onnx") as model,
        pytest.raises(ModelNotFoundError, match="no such file"),
    ):
        model.predict(pictures[0])


def test_a_file_with_other_outputs_is_rejected_as_a_detector(top_down, pictures: list[np.ndarray]) -> None:
    with load_model(top_down("places")) as model, pytest.raises(ModelError, match="not image and boxes and scores"):
        model.predict(pictures[0])
