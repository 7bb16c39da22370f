"""The plugin catalogue, with real distribution metadata on sys.path: ready, broken, blocked and duplicate plugins."""

import itertools
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from dlclive_core import (
    DependencyError,
    PluginCatalog,
    PluginError,
    ProcessorInfo,
    SinkInfo,
    SourceInfo,
    UsageError,
)

_NUMBERS = itertools.count()

GOOD = """
from dlclive_core import ProcessorInfo, hookimpl

@hookimpl
def dlclive_register_processors():
    return [ProcessorInfo(name={name!r}, summary="s", factory={factory!r}, requires={requires!r},
                          install_hint="pip install {distribution}[x]")]
"""


def install(
    folder: Path,
    distribution: str,
    *,
    code: str | None = None,
    plugin: str = "lab",
    name: str = "reward",
    factory: str = "dlclive_core.testing:FailingProcessor",
    requires: tuple[str, ...] = (),
) -> None:
    """Write a module and its .dist-info into a folder, as pip does."""
    # Python caches imported modules, so each test uses a different module name.
    module = f"{distribution.replace('-', '_')}_{next(_NUMBERS)}"
    code = (
        GOOD.format(name=name, factory=factory, requires=requires, distribution=distribution) if code is None else code
    )
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text(f"[dlclive]\n{plugin} = {module}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def find(name: str, **options):
    return [plugin for plugin in PluginCatalog.installed(**options).plugins if plugin.name == name]


def test_a_plugin_is_listed_with_its_distribution_and_components(site: Path) -> None:
    install(site, "lab-one")
    (plugin,) = find("lab")
    assert (plugin.distribution, plugin.version, plugin.status, plugin.error) == ("lab-one", "1.2.3", "ready", "")
    assert [item.name for item in plugin.components] == ["reward"]
    assert PluginCatalog.installed().build(ProcessorInfo, "reward", at=3)._at == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import a_library_that_nobody_has", "No module named 'a_library_that_nobody_has'"),
        ("not valid python", "SyntaxError"),
        (
            "from dlclive_core import hookimpl\n@hookimpl\ndef dlclive_register_lasers():\n    return []",
            "unknown hook 'dlclive_register_lasers'",
        ),
        (
            "from dlclive_core import hookimpl\n@hookimpl\ndef dlclive_register_sinks():\n    return ['tables']",
            "returned 'tables', not SinkInfo",
        ),
        (
            "from dlclive_core import hookimpl\n@hookimpl\ndef dlclive_register_sinks():\n    return 1/0",
            "ZeroDivisionError",
        ),
    ],
)
def test_a_broken_plugin_is_reported_in_one_line_and_affects_no_other(site: Path, code: str, reason: str) -> None:
    install(site, "lab-bad", code=code, plugin="bad")
    install(site, "lab-good", plugin="good")
    (bad,) = find("bad")
    assert bad.status == "broken"
    assert reason in bad.error
    assert "pip uninstall lab-bad" in bad.error
    if code.startswith(("raise", "import")):
        assert str(next(site.glob("*bad*.py"))) + ":1)" in bad.error
    assert "\n" not in bad.error
    assert find("good")[0].status == "ready"
    assert find("builtin")[0].status == "ready"


def test_the_error_for_a_missing_library_gives_the_install_command(site: Path) -> None:
    install(site, "lab-one", requires=("numpy", "a_library_that_nobody_has"))
    (plugin,) = find("lab")
    assert plugin.status == "incomplete"
    assert plugin.error == "processor 'reward' needs a_library_that_nobody_has; run: pip install lab-one[x]"
    catalog = PluginCatalog.installed()
    with pytest.raises(
        DependencyError, match=r"needs a_library_that_nobody_has, not installed; run: pip install lab-one\[x\]"
    ):
        catalog.build(ProcessorInfo, "reward")


def test_the_error_for_a_duplicate_plugin_names_both_packages(site: Path) -> None:
    install(site, "lab-one")
    install(site, "lab-two", name="other")
    first, second = find("lab")
    assert (first.distribution, first.status) == ("lab-one", "ready")
    assert second.status == "duplicate"
    assert "lab-two and lab-one both offer a plugin 'lab'" in second.error


def test_the_error_for_a_duplicate_component_names_both_packages(site: Path) -> None:
    install(site, "lab-one", plugin="one")
    install(site, "lab-two", plugin="two")
    (second,) = find("two")
    assert second.status == "duplicate"
    assert "both offer a processor 'reward'" in second.error
    assert second.components == ()


def test_components_of_different_kinds_may_share_a_name(site: Path) -> None:
    install(site, "lab-one", name="memory")  # the core has a sink of this name
    assert find("lab")[0].status == "ready"


def test_a_blocked_plugin_is_not_imported(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = site / "canary"
    install(site, "lab-one", code=f"import pathlib; pathlib.Path({str(canary)!r}).touch(); raise RuntimeError")
    monkeypatch.setenv("DLCLIVE_DISABLE_PLUGINS", "other, lab")
    (plugin,) = find("lab")
    assert plugin.status == "blocked"
    assert "DLCLIVE_DISABLE_PLUGINS" in plugin.error
    assert not canary.exists()
    assert find("lab", disabled=[])[0].status == "broken"
    assert canary.exists()


def test_the_error_for_an_unknown_component_suggests_the_nearest_and_names_broken_plugins(site: Path) -> None:
    install(site, "lab-one")
    install(site, "lab-bad", code="raise RuntimeError('no licence')", plugin="bad")
    with pytest.raises(
        PluginError, match=r"no processor 'rewrad': did you mean 'reward'\?.*'bad' is broken.*no licence"
    ):
        PluginCatalog.installed().find(ProcessorInfo, "rewrad")


def test_the_error_for_a_missing_factory_gives_the_check_command(site: Path) -> None:
    install(site, "lab-one", factory="dlclive_core.testing:NoSuchClass")
    with pytest.raises(PluginError, match="run: dlclive plugins check lab"):
        PluginCatalog.installed().build(ProcessorInfo, "reward")


def test_the_error_for_an_unknown_option_suggests_the_nearest(site: Path) -> None:
    install(site, "lab-one")
    with pytest.raises(UsageError, match=r"processor 'reward' has no option 'att': did you mean 'at'\?"):
        PluginCatalog.installed().build(ProcessorInfo, "reward", att=3)


def test_the_core_provides_its_own_plugin() -> None:
    catalog = PluginCatalog.installed(disabled=())
    assert catalog.find(SinkInfo, "memory")
    assert catalog.find(SourceInfo, "mouse")
    assert catalog.distribution_of(catalog.find(SinkInfo, "memory")) == "dlclive-core"


HEAVY = tuple(
    "torch onnxruntime onnx timm cv2 av pandas tables scipy matplotlib typer rich yaml serial openvino".split()
)


@pytest.mark.parametrize(
    "module",
    [
        "dlclive_core",
        "dlclive_core.testing",
        "dlclive_torch.plugin",
        "dlclive_onnx.plugin",
        "dlclive_io.plugin",
        "dlclive_processors.plugin",
    ],
)
def test_importing_a_plugin_module_loads_no_heavy_library(module: str) -> None:
    """`import dlclive_core` and every plugin's entry-point module load numpy and pluggy at most."""
    if module != "dlclive_core":
        pytest.importorskip(module.partition(".")[0], reason=f"{module} is not installed")
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_listing_plugins_loads_no_heavy_library() -> None:
    code = f"import sys, dlclive_core as d; d.PluginCatalog.installed(); print(*set({HEAVY!r}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_listing_plugins_reads_the_metadata_of_a_distribution_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "lab-one")
    install(site, "lab-two", plugin="two", name="other")
    reads: list[tuple[str, str]] = []
    original = PathDistribution.read_text

    def read_text(self: PathDistribution, filename: str) -> str | None:
        reads.append((str(self._path), filename))  # type: ignore[attr-defined]
        return original(self, filename)

    monkeypatch.setattr(PathDistribution, "read_text", read_text)
    assert {plugin.name for plugin in PluginCatalog.installed().plugins} >= {"builtin", "lab", "two"}
    assert len(reads) == len(set(reads))
    assert any(path.startswith(str(site)) and name == "METADATA" for path, name in reads)
