"""A student and its teacher, loaded by `load_model` and by `DLCLive`."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dlclive_core import (
    Cascade,
    DLCLive,
    ModelNotFoundError,
    PluginCatalog,
    PoseModel,
    RuntimeInfo,
    UsageError,
    load_model,
)
from dlclive_core.machine.system import sha256
from dlclive_core.plugins.catalog import Plugin
from tests.students import FACTS, BlobStudent, CountingTeacher, image


class StudentFile(BlobStudent):
    """A file that holds the hash of its teacher."""

    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        text = Path(path).read_text()
        super().__init__(replace(FACTS, teacher_sha256=text) if text else None)
        self.device, self.closed = device, 0
        LOADED.append(self)

    def close(self) -> None:
        self.closed += 1


class TeacherFile(CountingTeacher):
    def __init__(self, path: Path, *, device: str, precision: str) -> None:
        super().__init__(**({"individuals": ("other",)} if "strange" in Path(path).name else {}))
        self.device = device
        LOADED.append(self)


LOADED: list[PoseModel] = []


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a student, its teacher, and a few that do not fit."""
    LOADED.clear()
    (tmp_path / "teacher.big").write_text("weights")
    (tmp_path / "another.big").write_text("more weights")
    (tmp_path / "strange.big").write_text("of other animals")
    (tmp_path / "student.small").write_text(sha256(tmp_path / "teacher.big"))
    (tmp_path / "plain.small").write_text("")
    return tmp_path


@pytest.fixture
def catalog() -> PluginCatalog:
    parts = tuple(
        RuntimeInfo(name=suffix, summary="", factory=f"{__name__}:{kind}", reads=(f".{suffix}",))
        for suffix, kind in (("small", "StudentFile"), ("big", "TeacherFile"))
    )
    return PluginCatalog([Plugin(name="p", distribution="d", version="1", status="ready", components=parts)])


def test_a_fallback_is_loaded_on_the_students_device(files: Path, catalog, caplog) -> None:
    with load_model(
        files / "student.small", device="cuda:1", fallback=files / "teacher.big", fallback_limit=0.7, catalog=catalog
    ) as model:
        assert isinstance(model, Cascade)
        assert (model.limit, model.device, model.file) == (0.7, "cuda:1", files / "student.small")
        assert model.notices == ()
        assert model.predict(image(0.8)).confidence.max() == 1.0, "of the teacher"
    assert [each.closed for each in LOADED] == [1, 1]
    assert caplog.text == ""


def test_without_a_fallback_the_student_is_a_model_like_any_other(files: Path, catalog) -> None:
    with load_model(files / "student.small", catalog=catalog) as model:
        assert isinstance(model, StudentFile)


def test_a_loaded_teacher_stays_its_callers(files: Path, catalog) -> None:
    teacher = CountingTeacher()
    with load_model(files / "student.small", fallback=teacher, catalog=catalog) as model:
        assert model.predict(image(2)).confidence.max() == 1.0
    assert teacher.closed == 0


@pytest.mark.parametrize(
    ("student", "fallback", "kind", "message"),
    [
        ("plain.small", "teacher.big", UsageError, "plain.small is not a student"),
        (
            "student.small",
            "strange.big",
            UsageError,
            "strange.big cannot answer for this student: its individuals are other",
        ),
        ("student.small", "none.big", ModelNotFoundError, "the fallback, the student's teacher: .*none.big"),
    ],
)
def test_a_fallback_that_cannot_be_is_refused_in_one_line(
    files: Path, catalog, student: str, fallback: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        load_model(files / student, fallback=files / fallback, catalog=catalog)
    assert "\n" not in str(caught.value)
    assert [each.closed for each in LOADED] == [1] * len(LOADED), "a model stayed open"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fallback_limit": 0.5}, "fallback_limit is 0.5, and there is no fallback"),
        ({"fallback_limit": 0}, "fallback_limit is 0; give a number above 0"),
        ({"fallback": "teacher.big", "fallback_limit": math.nan}, "fallback_limit is nan; give a number above 0"),
    ],
)
def test_a_limit_without_effect_is_refused_before_anything_is_loaded(files: Path, catalog, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        load_model(files / "student.small", catalog=catalog, **options)
    with pytest.raises(UsageError, match=message):
        DLCLive(files / "student.small", catalog=catalog, **options)
    assert LOADED == []


def test_another_teacher_than_the_students_is_warned_of(files: Path, catalog, caplog) -> None:
    with load_model(files / "student.small", fallback=files / "another.big", catalog=catalog) as model:
        (notice,) = model.notices
    assert notice.startswith(
        "another.big answers for the student, which was trained by another file, teacher.onnx (SHA-256 "
    )
    assert [record.getMessage() for record in caplog.records] == [notice]


def test_an_export_of_the_teacher_is_the_same_teacher() -> None:
    """Its card keeps the hash of the file that DeepLabCut wrote."""
    teacher = CountingTeacher(source_sha256=FACTS.teacher_sha256)
    teacher.file = Path(__file__)
    assert Cascade(BlobStudent(), teacher).notices == ()


def test_a_mistyped_fallback_is_named(files: Path, catalog) -> None:
    with pytest.raises(UsageError, match=r"no option 'fallbacks': did you mean 'fallback'\?"):
        load_model(files / "student.small", fallbacks="x", catalog=catalog)


def test_dlclive_takes_a_fallback(files: Path, catalog) -> None:
    with DLCLive(
        files / "student.small", fallback=files / "teacher.big", convert2rgb=False, catalog=catalog
    ) as dlc_live:
        assert dlc_live.init_inference(image(0.5))[:, 2].max() == 0.5
        assert dlc_live.get_pose(image(1.5))[:, 2].max() == 1.0
        with pytest.raises(UsageError, match="fallback cannot be changed later"):
            dlc_live.fallback = None
