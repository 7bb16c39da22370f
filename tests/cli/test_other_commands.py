"""The commands info, demo, doctor and plugins, and general behaviour of the command line."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlclive_core import install_command


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys; from dlclive_core.cli.app import app; sys.argv = ['dlclive', 'analyze', '--help']\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print('HEAVY', *sorted({'numpy.testing','torch','onnxruntime','cv2','av','pandas','tables'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--max-frames" in done.stdout
    assert done.stdout.splitlines()[-1].split() == ["HEAVY"]


def test_version_prints_the_version(dlclive) -> None:
    from dlclive_core import __version__

    assert dlclive("--version").out.strip() == f"dlclive-core {__version__}"


def test_an_unknown_command_suggests_the_nearest(dlclive) -> None:
    done = dlclive("analyse")
    assert done.code == 2
    assert "analyze" in done.err


def test_plugins_list_prints_the_documented_json_keys(dlclive) -> None:
    plugins = json.loads(dlclive("plugins", "list", "--json").out)
    builtin = next(plugin for plugin in plugins if plugin["name"] == "builtin")
    assert builtin["status"] == "ready"
    assert builtin["version"]
    assert {"kind": "sink", "name": "memory"}.items() <= builtin["components"][-1].items()
    assert "builtin" in dlclive("plugins", "list").out


def test_plugins_check_imports_every_component(dlclive) -> None:
    done = dlclive("plugins", "check", "builtin")
    assert done.code == 0, done.out
    assert "ok" in done.out


def test_a_broken_plugin_is_listed_and_fails_the_check(dlclive, tmp_path) -> None:
    site = tmp_path / "site"
    (site / "lab-1.dist-info").mkdir(parents=True)
    (site / "lab-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1\n")
    (site / "lab-1.dist-info" / "entry_points.txt").write_text("[dlclive]\nlab = lab\n")
    (site / "lab.py").write_text("raise RuntimeError('no licence')")
    listed = dlclive("plugins", "list", PYTHONPATH=str(site))
    assert listed.code == 0
    assert "lab is broken: RuntimeError: no licence" in listed.out
    checked = dlclive("plugins", "check", "lab", PYTHONPATH=str(site))
    assert checked.code == 3
    blocked = dlclive("plugins", "list", PYTHONPATH=str(site), DLCLIVE_DISABLE_PLUGINS="lab")
    assert "lab is blocked" in blocked.out


def test_plugins_show_lists_options(dlclive) -> None:
    done = dlclive("plugins", "show", "builtin")
    assert re.search(r"\[seed=\]\s+a whole number, default 0", done.out)
    assert dlclive("plugins", "show", "builtn").code == 3


def test_info_shows_the_card(dlclive, model) -> None:
    card = json.loads(dlclive("info", model, "--json").out)
    assert card["skeleton"]["keypoints"][0] == "snout"
    assert card["runtime"] == "onnx"
    assert "snout, leftear" in dlclive("info", model).out


def test_the_demo_writes_its_files_and_reports_its_error(dlclive, model, tmp_path) -> None:
    pytest.importorskip("dlclive_io", reason="the demo writes files with dlclive-io")
    done = dlclive("demo", "--out", "demo", "--max-frames", 50, "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["accuracy"]["rms_px"] <= 2
    for name in ("mouse.h5", "mouse.csv", "mouse_labeled.mp4", "trajectory.png", "mouse.mp4", "mouse.onnx"):
        assert (tmp_path / "demo" / name).stat().st_size > 1000, name
    again = dlclive("demo", "--out", "demo", "--max-frames", 50)
    assert again.code == 2
    assert "--overwrite" in again.error
    report = dlclive("demo", "--out", "demo", "--max-frames", 50, "--overwrite")
    assert report.code == 0, report.err
    assert "root mean square" in report.out
    assert "inference" in report.out


def test_the_doctor_accepts_this_installation(dlclive, model) -> None:
    pytest.importorskip("dlclive_io", reason="the doctor writes files with dlclive-io")
    done = dlclive("doctor", "--json")
    findings = json.loads(done.out)
    assert done.code == 0, findings
    assert {finding["what"] for finding in findings["findings"]} >= {"machine", "a pose", "files"}


def test_the_doctor_names_missing_packages(dlclive) -> None:
    done = dlclive("doctor", DLCLIVE_DISABLE_PLUGINS="onnx,openvino,io,torch")
    assert done.code == 3
    assert install_command("dlclive-onnx") in done.out
    assert install_command("dlclive-io") in done.out


def test_the_demo_names_missing_packages(dlclive) -> None:
    done = dlclive("demo", DLCLIVE_DISABLE_PLUGINS="onnx,openvino")
    assert done.code == 3
    assert install_command("dlclive-onnx") in done.error


def test_a_closed_pipe_gives_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m dlclive_core plugins list --json | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "["
    assert "Traceback" not in done.stderr


def test_the_trajectory_picture_is_a_png(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    from dlclive_core.demo.picture import trajectory_picture

    path = np.asarray([[10, 10], [50, 40], [np.nan, np.nan], [90, 20]], np.float32)
    trajectory_picture(np.zeros((60, 100, 3), np.uint8), path, tmp_path / "t.png")
    image = cv2.imread(str(tmp_path / "t.png"))
    assert image.shape == (120, 200, 3)
    assert image.max() > 200


def test_tables_print_brackets_literally(capsys: pytest.CaptureFixture[str]) -> None:
    from dlclive_core.cli.output import print_table

    print_table("What", ("do",), [("pip install 'dlclive-onnx[gpu]'",)])
    assert "pip install 'dlclive-onnx[gpu]'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "live/m.nwb",
            f"there is no {Path('live', 'm.nwb')}: GIVE, as in dlclive recover live",
        ),
        (
            "live/m.h5",
            f"{Path('live', 'm.h5')} is a file: GIVE, as in dlclive recover live",
        ),
        ("gone", "there is no gone: GIVE"),
    ],
)
def test_recover_names_the_folder_for_a_file(dlclive, tmp_path, given, message) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "m.h5").write_bytes(b"poses")
    done = dlclive("recover", given)
    assert (done.code, done.error) == (2, "error: " + message.replace("GIVE", "give the folder that the run wrote to"))
