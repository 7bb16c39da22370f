"""A signal after OpenVINO was used, and unloaded in another thread, does not end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, os, signal, threading
import numpy as np
from dlclive_core import load_model
from dlclive_core.demo import MODEL
from dlclive_openvino.signal_stack import _Stack

def stack():
    current = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(current))
    return current.ss_sp, current.ss_flags, current.ss_size

before = stack()
models = [load_model(MODEL, runtime="openvino", device="cpu", precision="fp32")]
models[0].predict(np.zeros((120, 160, 3), np.uint8))
assert stack() == before, (stack(), before)

def unload():
    models.pop().close()

thread = threading.Thread(target=unload)
thread.start()
thread.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the stack that OpenVINO replaces")
@pytest.mark.parametrize("options", [[], ["-X", "faulthandler"]], ids=["no stack", "faulthandler's"])
def test_ctrl_c_after_openvino_was_unloaded(options: list[str]) -> None:
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + PROGRAM
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr[-500:]
