"""What is not installed: every component of our plugins, named on a core without any, leads to the command that installs it."""

import importlib
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from dlclive_core import (
    DependencyError,
    ExporterInfo,
    PluginCatalog,
    PluginError,
    RuntimeInfo,
    UsageError,
    install_command,
    load_model,
)
from dlclive_core.cli import main
from dlclive_core.export.route import find_route
from dlclive_core.machine import known_packages
from dlclive_core.plugins import catalog as catalog_module
from dlclive_core.plugins.registration import KINDS, registered_components
from tests.docs_blocks import ROOT

KIND = {kind.kind: kind for kind in KINDS}
COMPONENTS = [(kind, name) for kind, names in known_packages.PROVIDERS.items() for name in names]


@pytest.fixture
def bare() -> PluginCatalog:
    """A core without any plugin."""
    return PluginCatalog(())


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run the command line where no plugin is installed; returns the exit code and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalog_module, "installed_offers", list)

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dlclive", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return run


def test_the_tables_are_what_the_plugins_register() -> None:
    """With a package that is not in this environment, its part of the tables cannot be compared, and is left out."""
    points = {point.name: point for point in entry_points(group="dlclive")}
    for plugin, package in known_packages.plugin_packages().items():
        if plugin not in points:
            continue
        registered = registered_components(importlib.import_module(points[plugin].value))
        known = [
            (kind, name)
            for kind, name in COMPONENTS
            if known_packages.package_name(known_packages.PROVIDERS[kind][name]) == package
        ]
        assert sorted((item.kind, item.name) for item in registered) == sorted(known)
        for item in registered:
            if "dlclive-" in item.install_hint:
                assert install_command(known_packages.PROVIDERS[item.kind][item.name]) == known_packages.runnable(
                    item.install_hint
                )
            if isinstance(item, ExporterInfo):
                listed = next(exporter for exporter in known_packages.EXPORTERS if exporter.name == item.name)
                assert (listed.reads, listed.writes, listed.precisions, listed.converts) == (
                    item.reads, item.writes, item.precisions, item.converts,
                )  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_each_component_of_ours_leads_to_its_package(bare: PluginCatalog, kind: str, name: str) -> None:
    command = install_command(known_packages.PROVIDERS[kind][name])
    with pytest.raises(DependencyError) as raised:
        bare.find(KIND[kind], name)
    assert f"{kind} {name!r} is in dlclive-" in str(raised.value)
    assert str(raised.value).endswith(f"run: {command}")


@pytest.mark.parametrize(
    "requirement", sorted({text for names in known_packages.PROVIDERS.values() for text in names.values()})
)
def test_the_command_installs_from_the_clone(monkeypatch: pytest.MonkeyPatch, requirement: str) -> None:
    monkeypatch.setattr(known_packages, "_is_from_clone", lambda: True)
    command = install_command(requirement)
    folder = re.fullmatch(r"pip install '?(\./plugins/[a-z-]+)(\[[a-z0-9]+\]')?", command)
    assert folder, command
    text = (ROOT / folder[1] / "pyproject.toml").read_text()
    assert f'name = "{known_packages.package_name(requirement)}"' in text
    if folder[2]:
        assert re.search(rf"^{folder[2][1:-2]} = \[", text, re.MULTILINE), f"{requirement} has no such extra"


def test_the_command_names_the_index_where_the_core_came_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_packages, "_is_from_clone", lambda: False)
    assert install_command("dlclive-io") == "pip install dlclive-io"
    assert install_command("dlclive-onnx[gpu]", "dlclive-torch") == "pip install 'dlclive-onnx[gpu]' dlclive-torch"


@pytest.mark.parametrize(
    ("origin", "from_clone"),
    [
        (None, False),
        ('{"url": "file:///clone", "dir_info": {"editable": true}}', True),
        ('{"url": "file:///clone", "dir_info": {}}', True),
        ('{"url": "file:///dist/dlclive_core.whl", "archive_info": {}}', False),
    ],
)
def test_where_the_core_came_from_is_read_once(monkeypatch: pytest.MonkeyPatch, origin, from_clone) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return origin

    monkeypatch.setattr(known_packages, "distribution", lambda name: Distribution())
    assert known_packages._is_from_clone.__wrapped__() is from_clone


def test_commands_for_packages_of_others_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_packages, "_is_from_clone", lambda: True)
    assert known_packages.runnable("pip install dlclive-quick") == "pip install dlclive-quick"
    assert known_packages.runnable("conda install dlclive-io") == "conda install dlclive-io"
    assert known_packages.runnable("pip install 'dlclive-core[resize]'") == "pip install './[resize]'"


@pytest.mark.parametrize("suffix", sorted(known_packages.MODEL_READERS))
def test_each_kind_of_model_leads_to_its_runtime(bare: PluginCatalog, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"mouse{suffix}").write_bytes(b"model")
    runtime = known_packages.MODEL_READERS[suffix]
    with pytest.raises(DependencyError, match=re.escape(install_command(known_packages.PROVIDERS["runtime"][runtime]))):
        load_model(tmp_path / f"mouse{suffix}", catalog=bare)


@pytest.mark.parametrize("exporter", known_packages.EXPORTERS, ids=lambda exporter: exporter.name)
def test_each_export_leads_to_its_package(bare: PluginCatalog, exporter: known_packages.KnownExporter) -> None:
    for precision in exporter.precisions:
        with pytest.raises(DependencyError) as raised:
            find_route(bare, exporter.reads, exporter.writes, precision.upper(), exporter.program)
        assert install_command(known_packages.PROVIDERS["exporter"][exporter.name]) in str(raised.value)


def test_an_export_in_two_steps_names_both_packages(bare: PluginCatalog) -> None:
    with pytest.raises(DependencyError) as raised:
        find_route(bare, ".pt", ".xml", "int8")
    assert str(raised.value).endswith(install_command("dlclive-torch", "dlclive-openvino[int8]"))


def test_a_precision_that_nothing_writes_names_those_that_are_written() -> None:
    infos = [ExporterInfo(name="torch-onnx", summary="", factory="a:b", reads=".pt", writes=".onnx")]
    catalog = PluginCatalog(
        [catalog_module.Plugin(name="x", distribution="x", version="1", status="ready", components=tuple(infos))]
    )
    assert [step.precision for step in find_route(catalog, ".pt", ".onnx", "FP32")] == ["fp32"]
    with pytest.raises(UsageError, match=r"no precision 'fp64' for \.onnx files: choose from fp32"):
        find_route(catalog, ".pt", ".onnx", "fp64")


def test_a_plugin_that_is_installed_but_failed_is_not_to_be_installed_again() -> None:
    failed = catalog_module.Plugin(
        name="processors",
        distribution="dlclive-processors",
        version="1",
        status="broken",
        error="ImportError: no; update",
    )
    with pytest.raises(
        DependencyError, match="'kalman' is in plugin 'processors', which is broken: ImportError: no; update"
    ):
        PluginCatalog([failed]).find(KIND["processor"], "kalman")


def test_a_component_of_nobody_lists_what_there_is(bare: PluginCatalog) -> None:
    with pytest.raises(PluginError, match="no processor 'kalmann': did you mean 'kalman'"):
        bare.find(KIND["processor"], "kalmann")
    with pytest.raises(PluginError, match="no runtime 'quick'"):
        bare.find(RuntimeInfo, "quick")


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (("run", "--source", "camera:0", "--model", "MODEL"), "dlclive-cameras"),
        (("run", "--source", "rtsp://10.0.0.5/live", "--model", "MODEL"), "dlclive-cameras"),
        (("run", "--source", "clip.mp4", "--model", "MODEL"), "dlclive-io"),
        (("run", "--source", "mouse", "--model", "MODEL"), "dlclive-onnx"),
        (("run", "--source", "mouse", "--model", "MODEL", "--runtime", "openvino"), "dlclive-openvino"),
        (("analyze", "MODEL", "clip.mp4"), "dlclive-io"),
        (("export", "mouse.pt", "mouse.onnx"), "dlclive-torch"),
        (("plugins", "show", "kalman"), "dlclive-processors"),
        (("plugins", "show", "cameras"), "dlclive-cameras"),
        (("plugins", "check", "dlclive-io"), "dlclive-io"),
        (("demo",), "dlclive-onnx"),
        (("recover", "."), "dlclive-io"),
        (("distill", "mouse.pt", "clip.mp4", "out.onnx"), "dlclive-distill"),
    ],
)
def test_the_command_line_alone_says_what_to_install(alone, tmp_path: Path, arguments, package) -> None:
    from dlclive_core.demo import MODEL

    for name in ("clip.mp4", "mouse.pt"):
        (tmp_path / name).write_bytes(b"file")
    code, text = alone(*(MODEL if argument == "MODEL" else argument for argument in arguments))
    assert code == DependencyError.exit_code
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert text.strip().endswith(f"run: {install_command(package)}")
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "mouse.pt"}


def test_devices_says_that_nothing_looked(alone) -> None:
    code, text = alone("devices")
    assert code == 0
    assert (
        f"no camera was looked for: no plugin for cameras is installed; run: {install_command('dlclive-cameras')}"
        in text
    )


def test_our_plugins_write_no_install_commands_of_their_own() -> None:
    """Their messages use `install_command`; the hints in a description are made runnable by the core."""
    files = [path for path in ROOT.glob("plugins/*/src/**/*.py") if path.name != "plugin.py"]
    assert files
    named = [path.name for path in files if re.search(r"pip install '?dlclive-", path.read_text(encoding="utf-8"))]
    assert named == []


def test_the_readmes_of_our_plugins_install_from_the_clone() -> None:
    """Nothing of ours is on an index yet; `python -m nox` and the messages install from the clone, too."""
    pages = [ROOT / "README.md", *ROOT.glob("plugins/*/README.md")]
    named = [
        page for page in pages if re.search(r"pip install [^#\n]*(?<![/\w])dlclive-", page.read_text(encoding="utf-8"))
    ]
    assert len(pages) > 5
    assert named == []
