"""A laser that is on when something dies: one run of each; that it takes 100 ms at most is measured by `nox -s faults`."""

import os
import random

import pytest

pytest.importorskip("serial")
if os.name != "posix":
    pytest.skip("outputs on a serial port need a POSIX system", allow_module_level=True)

from tools.faults.laser import FAULTS
from tools.faults.outputs import off_time

PATIENCE = 2.0  # seconds; the watchdog, and a busy machine


@pytest.mark.parametrize("fault", FAULTS)
def test_the_laser_goes_off(fault: str) -> None:
    """On the device's own record; and the file of events tells the whole story."""
    assert off_time(fault, random.Random(0)) <= PATIENCE
