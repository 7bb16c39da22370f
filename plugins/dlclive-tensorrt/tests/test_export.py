"""Export from ONNX to an engine, on a computer simulated by test doubles."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from dlclive_tensorrt.cache_folder import cache_folder
from dlclive_tensorrt.engine_file import read_card, read_engine
from dlclive_tensorrt.plugin import dlclive_register_exporters, dlclive_register_runtimes
from dlclive_tensorrt.trusted_plans import are_trusted

from dlclive_core import (
    DependencyError,
    Exporter,
    ExporterInfo,
    ModelCard,
    ModelError,
    PluginCatalog,
    RuntimeInfo,
    UnsupportedModelError,
    UsageError,
    export_model,
    install_command,
)
from dlclive_core.data.assembly_rules import AssemblyRules
from dlclive_core.export import find_route
from dlclive_core.machine.system import sha256
from dlclive_core.plugins.catalog import Plugin, missing_requirements
from dlclive_core.runtimes import CARD_KEY

SIZE, SHAPE = (160, 128), (128, 160)


@pytest.fixture
def export(machine):
    from dlclive_tensorrt.exporter import EngineExporter

    def run(source: Path, target: Path | None = None, **options) -> Path:
        settings = {
            name: options.pop(name) for name in ("device", "batches", "level", "workspace_mb") if name in options
        }
        target = target or source.with_suffix(".engine")
        EngineExporter(**settings).export(source, target, **options)
        return target

    return run


@pytest.fixture
def with_card(mouse: Path):
    """Change the card of the demo network's file: with_card(precision="fp16")."""

    def change(**facts) -> Path:
        model = onnx.load(mouse)
        card = ModelCard.from_json(model.metadata_props[0].value).with_(**facts)
        onnx.helper.set_model_props(model, {"dlclive.card": card.to_json()})
        onnx.save(model, mouse)
        return mouse

    return change


def test_export_model_writes_an_engine_with_the_same_keypoints(machine, mouse: Path) -> None:
    export = export_model(mouse, mouse.with_suffix(".engine"), size=SIZE)
    assert export.parity.max_px == 0
    assert export.parity.keypoints == 25
    assert sorted(item.name for item in mouse.parent.iterdir()) == ["cache", "mouse.engine", "mouse.onnx"]
    assert "deserialize" in machine.events
    assert machine.all_freed()


def test_export_model_reports_and_compares_the_detector(machine, mouse: Path, with_card) -> None:
    detector = mouse.with_name("mouse.detector.onnx")
    text = """<ir_version: 10, opset_import: ["": 18]>
    d (uint8[N,H,W,3] image) => (float[M,4] boxes, float[M] scores) <float[1,4] box = {1, 2, 9, 9}, float[1] sure = {0.9}>
    { boxes = Identity(box) scores = Identity(sure) }"""
    onnx.save(onnx.parser.parse_model(text), detector)
    source = with_card(method="top-down", input_size=SHAPE, detector_sha256=sha256(detector))
    export = export_model(source, source.with_suffix(".engine"))
    assert export.detector == detector
    assert (export.parity.boxes, export.parity.box_px) == (5, 0)


def test_the_card_describes_model_gpu_and_versions(machine, mouse: Path, export) -> None:
    path = export(mouse, size=SIZE)
    card, plans = read_engine(path)
    assert (card.gpu, card.capability, card.tensorrt) == ("NVIDIA GeForce RTX 4090", "8.9", "11.4.0.106")
    assert (card.driver, card.cuda, card.level) == ("13.2", "13.0", 5)
    assert card.onnx_sha256 == sha256(mouse)
    source = ModelCard.from_json(onnx.load(mouse).metadata_props[0].value)
    assert card.model == source.with_(format="tensorrt", input_size=SHAPE)
    assert [plan.batch for plan in card.plans] == [1]
    assert len(plans) == 1
    assert are_trusted(card.plans)


def test_the_builder_disables_tf32_and_keeps_nan(machine, mouse: Path, export) -> None:
    export(mouse, size=SIZE, level=2, workspace_mb=256)
    assert machine.flags == {"STRICT_NANS", "EDITABLE_TIMING_CACHE"}
    assert machine.levels == [2]
    assert machine.limits == {"WORKSPACE": 256 << 20}
    machine.limits.clear()
    export(mouse, size=SIZE)
    assert machine.limits == {}
    assert machine.levels == [2, 5]


def test_the_builder_gets_fixed_input_shapes(machine, mouse: Path, export) -> None:
    export(mouse, size=SIZE, batches=(1, 4))
    batches = []
    for content in machine.graphs:
        dims = onnx.load_model_from_string(content).graph.input[0].type.tensor_type.shape.dim
        batches.append([dim.dim_value for dim in dims])
    assert batches == [[1, 128, 160, 3], [4, 128, 160, 3]]


@pytest.mark.parametrize(
    ("method", "animals", "batches"),
    [("bottom-up", 3, [1]), ("top-down", 1, [1]), ("top-down", 3, [1, 3]), ("conditional", 20, [1, 8])],
)
def test_networks_for_crops_get_a_plan_for_all_individuals(
    export, with_card, method: str, animals: int, batches: list[int]
) -> None:
    source = with_card(method=method, individuals=tuple(f"m{index}" for index in range(animals)))
    assert [plan.batch for plan in read_card(export(source, size=SIZE)).plans] == batches


def test_timings_are_stored_for_the_next_build(machine, mouse: Path, export) -> None:
    path = cache_folder() / "timing" / "NVIDIA-GeForce-RTX-4090-8.9-11.4.0.106.cache"
    for _ in range(2):
        export(mouse, size=SIZE)
    assert machine.timings == [b"", b"+measured"]
    assert path.read_bytes() == b"+measured+measured"
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"garbage", b"of another GPU"])
def test_unusable_timings_are_replaced(machine, mouse: Path, export, content: bytes) -> None:
    path = cache_folder() / "timing" / "NVIDIA-GeForce-RTX-4090-8.9-11.4.0.106.cache"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    export(mouse, size=SIZE)
    assert machine.timings == [b""]
    assert path.read_bytes() == b"+measured"


def test_an_unwritable_timing_cache_does_not_fail_the_export(mouse: Path, export) -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / "timing").write_text("a file where the folder would be")
    assert export(mouse, size=SIZE).is_file()


def test_an_engine_needs_one_size(mouse: Path, export, with_card) -> None:
    with pytest.raises(
        UsageError, match=r"built for one image size, and mouse\.onnx accepts any: .*--size WIDTHxHEIGHT"
    ):
        export(mouse)
    source = with_card(input_size=SHAPE)
    assert read_card(export(source)).model.input_size == SHAPE
    with pytest.raises(UsageError, match=r"is fixed to 160x128 \(WIDTHxHEIGHT\) and cannot be 128x160: omit --size"):
        export(source, size=(128, 160))
    assert read_card(export(source, size=SIZE)).model.input_size == SHAPE


def test_an_fp16_file_exports_only_to_fp16(machine, export, with_card) -> None:
    source = with_card(precision="fp16")
    assert read_card(export(source, size=SIZE, precision="fp16")).model.precision == "fp16"
    with pytest.raises(UsageError, match="is in fp16: build it with --precision fp16"):
        export(source, size=SIZE)
    with pytest.raises(UsageError, match="no precision 'int8' for engines"):
        export(source, size=SIZE, precision="int8")


def test_an_fp32_file_is_converted_to_fp16(machine, mouse: Path) -> None:
    export = export_model(mouse, mouse.with_suffix(".engine"), size=SIZE, precision="fp16")
    assert export.card.precision == "fp16"
    assert export.parity.max_px > 0
    assert export.parity.p99_confident_px <= 0.25
    types = {
        tuple(item.dims): item.data_type for item in onnx.load_model_from_string(machine.graphs[0]).graph.initializer
    }
    colours = types.pop((1, 3, 1, 1))
    assert colours == onnx.TensorProto.FLOAT  # normalisation stays in float32
    assert {kind for shape, kind in types.items() if len(shape) == 4} == {onnx.TensorProto.FLOAT16}


def test_an_fp32_network_with_assembly_is_not_converted_to_fp16(export, with_card) -> None:
    rules = AssemblyRules(edges=((0, 1),), individuals=2)
    with pytest.raises(
        UsageError, match=r"mouse\.onnx is in fp32, .*: export the model itself, dlclive export MODEL\.pt"
    ):
        export(with_card(assembly=rules), size=SIZE, precision="fp16")


def test_an_fp16_export_from_pt_goes_through_an_fp16_onnx_file() -> None:
    """`dlclive export model.pt model.engine --precision fp16` also writes the intermediate ONNX file in fp16."""
    torch = ExporterInfo(name="t", summary="", factory="", reads=".pt", writes=".onnx", precisions=("fp32", "fp16"))
    parts = (torch, *dlclive_register_exporters())
    catalog = PluginCatalog([Plugin(name="p", distribution="p", version="1", status="ready", components=parts)])
    route = find_route(catalog, ".pt", ".engine", "fp16")
    assert [(step.info.name, step.precision) for step in route] == [("t", "fp16"), ("onnx-tensorrt", "fp16")]


def test_an_operator_that_tensorrt_cannot_read_is_named(mouse: Path, export) -> None:
    model = onnx.load(mouse)
    model.graph.node[-1].output[0] = "there"
    model.graph.node.extend(
        [
            onnx.helper.make_node("Cast", ["there"], ["whole"], to=onnx.TensorProto.INT64),
            onnx.helper.make_node("Floor", ["there"], ["down"]),
            onnx.helper.make_node("Cast", ["image"], ["wide"], to=onnx.TensorProto.INT64, name="odd"),
            onnx.helper.make_node("Sigmoid", ["wide"], ["strange"], name="curve"),
            onnx.helper.make_node("Identity", ["there"], ["keypoints"]),
        ]
    )
    model.graph.output.append(onnx.helper.make_tensor_value_info("strange", onnx.TensorProto.INT64, None))
    onnx.save(model, mouse)
    with pytest.raises(ModelError, match=r"cannot read the graph of mouse\.onnx: .* \(operator Sigmoid, curve\)"):
        export(mouse, size=SIZE)


def test_too_little_memory_is_a_one_line_error(machine, mouse: Path, export) -> None:
    machine.build_error = "[defaultAllocator.cpp] CUDA error\n out of memory"
    machine.free = 1 << 30
    with pytest.raises(ModelError, match=r"the GPU has not enough memory \(1\.1 of 25\.8 GB are free\)") as caught:
        export(mouse, size=SIZE)
    assert "\n" not in str(caught.value)
    assert not mouse.with_suffix(".engine").exists()


def test_a_failed_build_reports_tensorrts_reason(machine, mouse: Path, export) -> None:
    machine.build_error = "Could not find any implementation\n for node conv"
    with pytest.raises(
        ModelError, match=r"cannot build mouse\.onnx on cuda:0 .*: Could not find any implementation for node"
    ):
        export(mouse, size=SIZE)


def test_missing_gpus_and_other_devices_are_rejected(machine, mouse: Path, export) -> None:
    with pytest.raises(UsageError, match="no GPU 'cuda:1' here; available: cuda:0"):
        export(mouse, size=SIZE, device="cuda:1")
    with pytest.raises(UsageError, match="has no device 'cpu'"):
        export(mouse, size=SIZE, device="cpu")
    machine.cards.clear()
    with pytest.raises(DependencyError, match="needs an NVIDIA GPU and its driver"):
        export(mouse, size=SIZE)


def test_another_major_version_of_tensorrt_is_rejected(mouse: Path, export, another_tensorrt) -> None:
    another_tensorrt("10.16.1.11")
    with pytest.raises(DependencyError, match=r"needs TensorRT 11, but 10\.16\.1\.11 is installed"):
        export(mouse, size=SIZE)


def test_invalid_source_files_are_rejected(tmp_path: Path, export, mouse: Path) -> None:
    nothing = tmp_path / "nothing.onnx"
    nothing.write_bytes(b"no model at all")
    with pytest.raises(ModelError, match="is not an ONNX model"):
        export(nothing, size=SIZE)
    model = onnx.load(mouse)
    del model.metadata_props[:]
    onnx.save(model, mouse)
    with pytest.raises(ModelError, match="has no dlclive card inside"):
        export(mouse, size=SIZE)


def test_an_export_for_another_program_is_rejected(mouse: Path, export) -> None:
    model = onnx.load(mouse)
    (entry,) = (item for item in model.metadata_props if item.key == CARD_KEY)
    entry.value = ModelCard.from_json(entry.value).with_(format="bonsai").to_json()
    onnx.save(model, mouse)
    with pytest.raises(UnsupportedModelError, match=r"export for bonsai.*use the model that it was made from"):
        export(mouse, size=SIZE)


def test_external_weights_are_rejected(mouse: Path, export) -> None:
    model = onnx.load(mouse)
    onnx.save(model, mouse, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(ModelError, match="keeps weights in another file"):
        export(mouse, size=SIZE)


def test_the_detector_is_copied_beside_the_engine(tmp_path: Path, export, with_card, mouse: Path) -> None:
    original = mouse.with_name("mouse.detector.onnx")
    original.write_bytes(b"a detector")
    source = with_card(method="top-down", detector_sha256=sha256(original))
    folder = tmp_path / "engines"
    folder.mkdir()
    export(source, folder / "lab.engine", size=SIZE)
    assert sorted(item.name for item in folder.iterdir()) == ["lab.detector.onnx", "lab.engine"]
    assert (folder / "lab.detector.onnx").read_bytes() == b"a detector"
    original.write_bytes(b"another detector")
    with pytest.raises(ModelError, match=r"belongs to mouse\.onnx is not beside it: copy mouse\.detector\.onnx there"):
        export(source, size=SIZE)


@pytest.mark.parametrize(
    "options", [{"batches": ()}, {"batches": (0,)}, {"batches": (2, 2)}, {"level": 6}, {"workspace_mb": 0}]
)
def test_invalid_options_are_rejected(machine, options: dict) -> None:
    from dlclive_tensorrt.exporter import EngineExporter

    with pytest.raises(UsageError):
        EngineExporter(**options)


def test_without_tensorrt_the_plugin_is_listed_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorrt", "cuda", "cuda.bindings"):
        monkeypatch.setitem(sys.modules, name, None)
    for info in (*dlclive_register_runtimes(), *dlclive_register_exporters()):
        assert missing_requirements(info) == ["tensorrt", "cuda.bindings"]
        assert info.install_hint == "pip install dlclive-tensorrt"
    catalog = PluginCatalog.installed()
    plugin = next(plugin for plugin in catalog.plugins if plugin.name == "tensorrt")
    assert plugin.status == "incomplete"
    assert f"run: {install_command('dlclive-tensorrt')}" in plugin.error
    with pytest.raises(DependencyError, match=re.escape(f"run: {install_command('dlclive-tensorrt')}")):
        catalog.factory(catalog.find(RuntimeInfo, "tensorrt"))


def test_the_adapted_graph_gives_identical_keypoints(machine, mouse: Path, export, pictures: list[np.ndarray]) -> None:
    """The builder's graph computes the same as the original."""
    ort = pytest.importorskip("onnxruntime")
    export(mouse, size=SIZE)
    keypoints = []
    for content in (mouse.read_bytes(), machine.graphs[0]):
        session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
        keypoints.append(session.run(None, {"image": pictures[0][None]})[0])
    np.testing.assert_array_equal(*keypoints)


def test_check_rejects_what_export_would_reject(machine, with_card, another_tensorrt, monkeypatch) -> None:
    """An engine that cannot be built is rejected before its ONNX file is made."""
    from dlclive_tensorrt.exporter import EngineExporter

    any_size = ModelCard.from_json(onnx.load(with_card()).metadata_props[0].value)
    exporter = EngineExporter()
    exporter.check(any_size, size=SIZE)
    exporter.check(any_size.with_(input_size=SHAPE))
    with pytest.raises(UsageError, match="and the model accepts any: pass the size of the camera's image"):
        exporter.check(any_size)
    with pytest.raises(UsageError, match="no precision 'int8' for engines"):
        exporter.check(any_size, size=SIZE, precision="int8")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "onnxruntime", None)
        exporter.check(any_size, size=SIZE)
        with pytest.raises(DependencyError, match="the detector of the model needs ONNX Runtime"):
            exporter.check(any_size.with_(detector_sha256="0" * 64), size=SIZE)
    cards = list(machine.cards)
    machine.cards.clear()
    with pytest.raises(DependencyError, match="needs an NVIDIA GPU and its driver"):
        exporter.check(any_size, size=SIZE)
    machine.cards.extend(cards)
    another_tensorrt("10.16.1.11")
    with pytest.raises(DependencyError, match="needs TensorRT 11"):
        exporter.check(any_size, size=SIZE)
    assert machine.events == []  # no memory, no builder


def test_export_model_rejects_an_engine_before_the_first_step_runs(machine, mouse: Path) -> None:
    """The first step stands for PyTorch's export; it never starts."""
    first = ExporterInfo(
        name="t", summary="", factory=f"{__name__}:NeverStarted", reads=".onnx", writes=".middle", precisions=("fp32",)
    )
    last = replace(dlclive_register_exporters()[0], reads=".middle")
    runtimes = PluginCatalog.installed().components(RuntimeInfo)
    plugin = Plugin(name="p", distribution="p", version="1", status="ready", components=(first, last, *runtimes))
    with pytest.raises(UsageError, match="an engine is built for one image size"):
        export_model(mouse, mouse.with_suffix(".engine"), catalog=PluginCatalog([plugin]))


class NeverStarted(Exporter):
    def export(self, source, target, **options) -> ModelCard:
        raise AssertionError
