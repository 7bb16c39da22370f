"""`--runtime-option NAME=VALUE`: conversion, precedence over profiles, session files, and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from dlclive_core import PluginCatalog, RuntimeInfo, UsageError
from dlclive_core.cli.live.parts import RigParts
from dlclive_core.cli.live.run_spec import RunSpec, SourceSpec
from dlclive_core.cli.live.session_file import read_session_file
from dlclive_core.cli.runtime_options import runtime_options, share_options
from dlclive_core.cli.specs import ModelSpec, OptionSpec
from dlclive_core.errors import ConfigurationError
from dlclive_core.machine.system import sha256
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.profiles import Machine, Profile, profile_path, profile_to_json
from dlclive_core.testing import BlobModel


class Quick(BlobModel):
    """A runtime that records its options."""

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        spinning: Literal["never", "always"] = "never",
        pinning: bool = False,
        cache: Path | None = None,
        detector: Path | None = None,
    ) -> None:
        super().__init__()
        self.options = {"threads": threads, "spinning": spinning, "pinning": pinning, "cache": cache}


class Plain(BlobModel):
    """A runtime with one option."""

    def __init__(self, path: Path, *, device: str, precision: str, threads: int = 1) -> None:
        super().__init__()


class Open(BlobModel):
    """A runtime that accepts any option."""

    def __init__(self, path: Path, *, device: str, precision: str, **options: str) -> None:
        super().__init__()


QUICK, PLAIN, OPEN = (
    RuntimeInfo(
        name=cls.__name__.lower(),
        summary="",
        factory=f"{__name__}:{cls.__name__}",
        reads=(".quick",),
        profile_options=("threads", "pinning"),
    )
    for cls in (Quick, Plain, Open)
)


@pytest.fixture
def catalog() -> PluginCatalog:
    mine = Plugin(name="p", distribution="d", version="1", status="ready", components=(QUICK, PLAIN, OPEN))
    return PluginCatalog([*PluginCatalog.installed().plugins, mine])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mouse.quick"
    path.write_bytes(b"a network")
    return path


def test_text_is_converted_to_the_constructors_types(catalog) -> None:
    texts = {"threads": "2", "spinning": "always", "pinning": "true", "cache": "here"}
    assert runtime_options(QUICK, texts, catalog) == {
        "threads": 2, "spinning": "always", "pinning": True, "cache": Path("here"),
    }  # fmt: skip
    assert runtime_options(QUICK, {"threads": "none"}, catalog) == {"threads": None}
    assert runtime_options(OPEN, {"anything": "1"}, catalog) == {"anything": "1"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"thread": "2"}, "runtime 'quick' has no option 'thread': did you mean 'threads'?"),
        ({"path": "2"}, "runtime 'quick' has no option 'path': choose from cache, pinning, spinning, threads"),
        ({"threads": "two"}, "option 'threads' of runtime 'quick' takes a whole number; got 'two'"),
        ({"spinning": "ever"}, "option 'spinning' of runtime 'quick' takes 'never' or 'always'; got 'ever'"),
        ({"device": "cpu"}, "'device' is not a runtime option: use --device"),
        ({"detect_every": "2"}, "'detect_every' is not a runtime option: use --detect-every"),
    ],
)
def test_invalid_options_are_reported_in_one_line(catalog, texts: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        runtime_options(QUICK, texts, catalog)
    assert str(raised.value).startswith(message)


def test_each_of_several_runtimes_gets_the_options_that_it_has(catalog) -> None:
    shared = share_options([QUICK, PLAIN], {"threads": "2", "pinning": "true"}, catalog)
    assert shared == [{"threads": 2, "pinning": True}, {"threads": 2}]
    with pytest.raises(UsageError, match="none of the runtimes 'quick', 'plain' has an option 'pining': did you mean"):
        share_options([QUICK, PLAIN, QUICK], {"pining": "true"}, catalog)


def loaded(spec: RunSpec, catalog: PluginCatalog) -> dict[str, object]:
    """Load the model; returns the options passed to the runtime's constructor."""
    (part,) = RigParts.build(spec, catalog).models.values()
    with part.load(catalog) as model:
        assert isinstance(model, Quick)
        return model.options


def rig(folder: Path, options: str) -> RunSpec:
    path = folder / "rig.yaml"
    path.write_text(
        f"source: mouse\nmodel:\n  path: {folder / 'mouse.quick'}\n  runtime: quick\n  runtime_options:\n{options}"
    )
    return read_session_file(path)


def test_the_command_line_adds_to_the_runtime_options_of_a_session_file(file: Path, catalog, tmp_path: Path) -> None:
    spec = rig(tmp_path, "    threads: 2\n    pinning: yes\n")
    expected = {"threads": 2, "spinning": "never", "pinning": True, "cache": None}
    assert loaded(spec, catalog) == expected
    more = ModelSpec(runtime_options=(OptionSpec("threads", "3"), OptionSpec("spinning", "always")))
    spec = spec.with_more(RunSpec(model=more))
    assert loaded(spec, catalog) == {**expected, "threads": 3, "spinning": "always"}
    assert spec.to_dict()["runtime_options"] == {"threads": "3", "pinning": "yes", "spinning": "always"}


def test_an_error_names_the_line_only_for_options_from_the_file(file: Path, catalog, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"rig\.yaml:7: runtime 'quick' has no option 'pinned'"):
        RigParts.build(rig(tmp_path, "    threads: 2\n    pinned: yes\n"), catalog)
    with pytest.raises(ConfigurationError, match=r"rig\.yaml:6: option 'threads' of runtime 'quick' takes a whole"):
        RigParts.build(rig(tmp_path, "    threads: [2]\n"), catalog)
    with pytest.raises(ConfigurationError, match=r"rig\.yaml:6: runtime_options must be written as key: value"):
        rig(tmp_path, "    threads=2\n")
    spec = rig(tmp_path, "    threads: 2\n")
    with pytest.raises(UsageError, match=r"^option 'threads' of runtime 'quick' takes a whole number; got 'x'"):
        RigParts.build(spec.with_more(RunSpec(model=ModelSpec(runtime_options=(OptionSpec("threads", "x"),)))), catalog)


def test_runtime_options_add_to_those_of_a_profile(file: Path, catalog) -> None:
    profile = Profile(
        model=file.name, sha256=sha256(file), machine=Machine.this(), runtime="quick", device="cpu", precision="fp32",
        options={"threads": 2, "pinning": True},
    )  # fmt: skip
    profile_path(file).write_text(profile_to_json(profile), encoding="utf-8")
    spec = RunSpec(
        sources=(SourceSpec.parse("mouse"),),
        models=(str(file),),
        model=ModelSpec(runtime_options=(OptionSpec("threads", "5"), OptionSpec("spinning", "always"))),
    )
    assert loaded(spec, catalog) == {"threads": 5, "spinning": "always", "pinning": True, "cache": None}


def test_analyze_records_runtime_options(dlclive, model: Path, clip: Path) -> None:
    done = dlclive(
        "analyze", model, clip, "--max-frames", 2, "--runtime-option", "threads=1", "--runtime-option", "spinning=always",
        "--out", "out", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out)["options"]["runtime_option"] == ["threads=1", "spinning=always"]
    done = dlclive("analyze", model, clip, "--runtime-option", "thread=1")
    assert (done.code, done.error) == (2, "error: runtime 'onnx' has no option 'thread': did you mean 'threads'?")


def test_analyze_passes_runtime_options_to_the_runtime(dlclive, model: Path, clip: Path) -> None:
    done = dlclive("analyze", model, clip, "--runtime", "onnx", "--runtime-option", "threads=0")
    assert done.code == 2
    assert "threads must be at least 1; got 0" in done.error


def test_benchmark_shows_runtime_options_in_its_rows(dlclive_at_rest, model: Path) -> None:
    command = ("benchmark", model, "--synthetic", "160x120", "--max-frames", 2, "--rounds", 1, "--warmup", 0)
    done = dlclive_at_rest(*command, "--runtime", "onnx:fp32:cpu", "--runtime-option", "spinning=always", "--json")
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["rows"]
    assert row["options"] == {"spinning": "always"}
    done = dlclive_at_rest(*command, "--runtime-option", "spinning")
    assert done.code == 2
    assert "--runtime-option takes a runtime option, NAME=VALUE, for example threads=1; got 'spinning'" in done.error
