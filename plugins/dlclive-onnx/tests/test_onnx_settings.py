"""What a file can be run as, told from its metadata alone, and what ONNX Runtime is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from dlclive_onnx import providers
from dlclive_onnx.metadata import read_card
from dlclive_onnx.options import CpuOptions, CudaOptions
from dlclive_onnx.runtime import OnnxNetwork

from dlclive_core import ModelError, Setting
from dlclive_core.runtimes import usable_cores


@pytest.fixture(autouse=True)
def _no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "has_cuda", lambda: False)


def test_the_card_is_found_without_loading_the_network(whole, bare) -> None:
    card = read_card(whole())
    assert (card.net_type, card.skeleton.keypoints) == ("two-colours", ("red", "green"))
    assert read_card(bare()) is None


def test_the_card_is_found_among_other_fields(whole, tmp_path: Path) -> None:
    """Of every wire type, and with other metadata before it."""
    path = whole()
    model = onnx.load(path)
    entries = {item.key: item.value for item in model.metadata_props}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {"a": "b" * 300, **entries, "z": ""})
    fields = (
        b"\xf9\x01" + bytes(8) + b"\xfd\x01" + bytes(4) + b"\xf8\x01\x96\x01"
    )  # number 31: eight bytes, four, a varint
    path.write_bytes(fields + model.SerializeToString())
    assert read_card(path).scorer == "DLC_two"


@pytest.mark.parametrize("content", [b"no onnx at all", b"\x08", b"\x3a\xff\xff\x03cut", b"\xff" * 12, b"\x0b"])
def test_what_is_no_onnx(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="is not an ONNX model"):
        read_card(tmp_path / "a.onnx")


def test_settings_are_the_files(whole, bare, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(whole()).with_(precision="int8")
    assert OnnxNetwork.settings(whole(card=card.to_json())) == [Setting("cpu", "int8")]
    assert OnnxNetwork.settings(bare()) == [Setting("cpu", "fp32")]
    monkeypatch.setattr(providers, "has_cuda", lambda: True)
    assert OnnxNetwork.settings(whole()) == [Setting("cpu", "fp32"), Setting("cuda:0", "fp32")]


def test_a_bare_network_of_unknown_keypoints_has_no_settings(bare) -> None:
    assert OnnxNetwork.settings(bare(config=None)) == ()


def test_options_of_a_session() -> None:
    options = CpuOptions().session_options()
    assert options.intra_op_num_threads == usable_cores()
    assert CpuOptions(threads=3).session_options().intra_op_num_threads == 3


@pytest.mark.parametrize(
    ("spinning", "within", "stops"), [("frame", "1", "1"), ("always", "1", "0"), ("never", "0", "1")]
)
def test_threads_do_not_spin_unless_asked_to(spinning: str, within: str, stops: str) -> None:
    options = CpuOptions(spinning=spinning).session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == within
    assert options.get_session_config_entry("session.force_spinning_stop") == stops
    assert CpuOptions().spinning == "never"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which cores a process may use")
def test_cores_are_counted_once_and_within_the_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu, siblings in enumerate(["0,4", "1,5", "2,6", "3,7"] * 2):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{siblings}\n")
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(8), raising=False)
    assert usable_cores(tmp_path, quota) == 4
    for text, cores in [("max 100000\n", 4), ("250000 100000\n", 2), ("50000 100000\n", 1)]:
        quota.write_text(text)
        assert usable_cores(tmp_path, quota) == cores
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 4, 5}, raising=False)
    assert usable_cores(tmp_path, tmp_path / "none") == 2


def test_on_cuda_fp32_is_fp32_unless_asked_otherwise() -> None:
    options = CudaOptions().provider_options("1")
    assert options == {
        "device_id": "1",
        "prefer_nhwc": "1",
        "enable_cuda_graph": "0",
        "use_tf32": "0",
        "cudnn_conv_algo_search": "EXHAUSTIVE",
    }
    options = CudaOptions(nhwc=False, graph=True, tf32=True, search="heuristic", stream=77).provider_options("0")
    assert options == {
        "device_id": "0",
        "prefer_nhwc": "0",
        "enable_cuda_graph": "1",
        "use_tf32": "1",
        "cudnn_conv_algo_search": "HEURISTIC",
        "user_compute_stream": "77",
    }


def test_the_image_given_is_not_held_on_to(whole) -> None:
    """What a network answered stays, whatever comes next."""
    network = OnnxNetwork(whole(), device="cpu")
    image = np.zeros((1, 9, 9, 3), np.uint8)
    image[0, 4, 5, 0] = 255
    first = network.run(image)["keypoints"]
    kept = first.copy()
    image[:] = 0
    network.run(image)
    np.testing.assert_array_equal(first, kept)
    assert first.flags.writeable
