"""The public names of the core: loaded on first use, all defined, with errors that name the replacement of an old name."""

import subprocess
import sys

import pytest

import dlclive_core

HEAVY = ("numpy", "pluggy", "typer", "rich", "yaml")


def loaded_by(statement: str, *libraries: str) -> set[str]:
    """The subset of these libraries that a new interpreter has loaded after a statement."""
    script = f"import sys; {statement}; print(*[name for name in {libraries!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_no_library() -> None:
    assert loaded_by("import dlclive_core", *HEAVY) == set()


def test_importing_the_plugin_api_loads_pluggy_only() -> None:
    assert loaded_by("from dlclive_core import ProcessorInfo, hookimpl", *HEAVY) == {"pluggy"}


def test_a_name_is_loaded_on_first_use() -> None:
    assert "numpy" in loaded_by("import dlclive_core; dlclive_core.Frame", "numpy")


def test_every_public_name_is_defined_and_listed() -> None:
    assert dlclive_core.__all__ == sorted(dlclive_core.__all__)
    assert set(dlclive_core.__all__) <= set(dir(dlclive_core))
    for name in dlclive_core.__all__:
        assert getattr(dlclive_core, name) is not None


@pytest.mark.parametrize(("old", "new"), sorted(dlclive_core._RENAMED.items()))
def test_the_error_for_an_old_name_gives_the_new_one(old: str, new: str) -> None:
    assert new in dlclive_core.__all__
    with pytest.raises(ImportError, match=f"{old} is now dlclive_core.{new}$"):
        exec(f"from dlclive_core import {old}")
    with pytest.raises(ImportError, match=new):
        getattr(dlclive_core, old)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Pose2"):
        dlclive_core.Pose2  # noqa: B018


def test_the_error_for_an_old_keyword_gives_the_new_one() -> None:
    with pytest.raises(TypeError, match=r"^FollowingCrop has no option 'turns': it is now 'rotates'$"):
        dlclive_core.FollowingCrop(window=(64, 48), turns=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'spins'"):
        dlclive_core.FollowingCrop(spins=True)
    assert dlclive_core.FollowingCrop(window=(64, 48), rotates=True).rotates


def test_the_error_for_an_old_method_gives_the_new_one() -> None:
    with pytest.raises(TypeError, match="Quick defines 'bare', which is now called 'raw_call'"):
        type("Quick", (dlclive_core.Network,), {"bare": lambda self, images: None})
