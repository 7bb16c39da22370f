"""The files that dlclive-openvino declares."""

from pathlib import Path

from dlclive_core import PluginCatalog, RuntimeInfo
from dlclive_core.plugins.model_formats import has_fixed_size, model_files


def test_the_weights_belong_to_the_xml_only(tmp_path: Path) -> None:
    catalog = PluginCatalog.installed()
    assert catalog.find(RuntimeInfo, "openvino").reads == (".xml", ".onnx")
    for name in ("a.xml", "a.onnx", "a.bin"):
        (tmp_path / name).touch()
    assert model_files(tmp_path / "a.xml", catalog) == (tmp_path / "a.xml", tmp_path / "a.bin")
    assert model_files(tmp_path / "a.onnx", catalog) == (tmp_path / "a.onnx",)
    assert not has_fixed_size(".xml", catalog)
