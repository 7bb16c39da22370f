"""A laser that is on during a fault, one run per fault. `nox -s faults` measures the bound of 100 ms."""

import os
import random

import pytest

pytest.importorskip("serial")
if os.name != "posix":
    pytest.skip("outputs on a serial port need a POSIX system", allow_module_level=True)

from tools.faults.laser import FAULTS
from tools.faults.outputs import off_time

LIMIT = 2.0  # seconds; the watchdog's timeout plus a margin for busy machines


@pytest.mark.parametrize("fault", FAULTS)
def test_the_laser_is_switched_off_after_a_fault(fault: str) -> None:
    """Checks the device's own record and the event file."""
    assert off_time(fault, random.Random(0)) <= LIMIT
