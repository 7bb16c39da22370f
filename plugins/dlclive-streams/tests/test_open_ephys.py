"""The TTL line of Open Ephys, with a process that answers as its Network Events do. A real GUI was not at hand."""

from __future__ import annotations

import logging
import socket

import pytest
from dlclive_streams import OpenEphysOutput
from dlclive_streams.open_ephys.ttl_line import TtlLine

from dlclive_core import OutputError, PluginError, Pose, Reason, Session, UsageError
from dlclive_core.testing import BlobSource, NullModel

ON, OFF = "TTL Line=3 State=1", "TTL Line=3 State=0"


def opened(port: int, **options: object) -> OpenEphysOutput:
    output = OpenEphysOutput(3, port=port, **{"patience": 60, "timeout": 10, "lifespan": 60, **options})
    output.open(0.0)
    return output


def test_every_change_is_requested_and_confirmed(start_receiver, free_port: int, wait_for) -> None:
    gui = start_receiver("open_ephys.py", free_port, "good")
    output = opened(free_port)
    assert gui.next() == OFF
    for number, on in enumerate((True, True, False, True, True)):
        before = output.counts()["acknowledged"]
        changes = output.counts()["changes"]
        output.renew(on, Reason.CONDITION, number, 0.0)
        if output.counts()["changes"] > changes:
            wait_for(lambda before=before: output.counts()["acknowledged"] > before)
    output.close()
    assert gui.take(4) == [ON, OFF, ON, OFF]
    counts = output.counts()
    assert (counts["changes"], counts["skipped"], counts["refused"], counts["unanswered"]) == (4, 0, 0, 0)
    output.close()


def test_changes_faster_than_the_answers_are_skipped_and_counted(start_receiver, free_port: int, wait_for) -> None:
    """And nothing waits: all are made while the first answer is on its way."""
    gui = start_receiver("open_ephys.py", free_port, "slow")
    output = opened(free_port)
    assert gui.next() == OFF
    for number in range(1001):
        output.renew(number % 2 == 0, Reason.CONDITION, number, 0.0)
    wait_for(lambda: output.counts()["acknowledged"] + output.counts()["skipped"] == 1 + 1001)
    counts = output.counts()
    requests = gui.take(int(counts["acknowledged"]) - 1)
    assert requests[-1] == ON
    assert counts["skipped"] > 900
    output.close()
    assert gui.next() == OFF


def test_a_line_that_it_does_not_have_is_refused_at_the_start(start_receiver, free_port: int) -> None:
    start_receiver("open_ephys.py", free_port, "invalid")
    output = OpenEphysOutput(3, port=free_port, patience=60, timeout=10)
    with pytest.raises(UsageError, match="refuses line 3: 'InvalidChannel'; give the number of a line that it has"):
        output.open(0.0)
    output.close()


def test_nothing_there_is_one_line(free_port: int) -> None:
    output = OpenEphysOutput(3, port=free_port, patience=0.1, timeout=0.05)
    with pytest.raises(
        OutputError, match=f"^nothing answers at 127.0.0.1, port {free_port}: start Open Ephys with"
    ) as raised:
        output.open(0.0)
    assert "\n" not in str(raised.value)
    output.close()
    with pytest.raises(OutputError, match=r"^host 'no-such-host.invalid' has no address"):
        OpenEphysOutput(host="no-such-host.invalid").open(0.0)


def test_a_request_without_an_answer_is_made_again_on_a_new_connection(
    start_receiver, free_port: int, wait_for, caplog
) -> None:
    """It stops answering; once another one is there, the state that is wanted by then is requested."""
    gui = start_receiver("open_ephys.py", free_port, "silent")
    with caplog.at_level(logging.WARNING):
        output = opened(free_port, timeout=0.1)
        output.renew(True, Reason.CONDITION, 0, 0.0)
        for _ in range(2):
            read_until(gui, ON)
        wait_for(lambda: output.counts()["unanswered"] >= 2)
        gui.close()
        gui = start_receiver("open_ephys.py", free_port, "good")
        read_until(gui, ON)
        wait_for(lambda: output.counts()["acknowledged"] == 2)
        output.renew(False, Reason.CONDITION, 1, 0.0)
        read_until(gui, OFF)
        output.close()
    assert caplog.text.count("does not answer within 0.1 s; the state of line 3 is not known") == 1


def test_off_that_is_not_confirmed_is_an_error(start_receiver, free_port: int, wait_for) -> None:
    gui = start_receiver("open_ephys.py", free_port, "good")
    output = opened(free_port, timeout=0.1)
    output.renew(True, Reason.CONDITION, 0, 0.0)
    wait_for(lambda: output.counts()["acknowledged"] == 2)
    gui.close()
    with pytest.raises(OutputError, match=r"did not confirm that line 3 is off: check the line$"):
        output.close()
    output.close()


def test_off_is_asked_for_before_the_end_also_if_nobody_waits_for_it(start_receiver, free_port: int) -> None:
    """The answer to "on" is still on its way when the line is closed."""
    gui = start_receiver("open_ephys.py", free_port, "slow")
    line = TtlLine(f"tcp://127.0.0.1:{free_port}", 3, timeout=10)
    line.request(True)
    assert gui.next() == ON
    line.close(0.0)
    assert gui.next() == OFF


def test_nothing_is_asked_any_more_after_the_end(start_receiver, free_port: int) -> None:
    """Nobody answers: a GUI that is started later, for the next experiment, must hear nothing of this one."""
    line = TtlLine(f"tcp://127.0.0.1:{free_port}", 3, timeout=0.05)
    line.request(True)
    assert not line.close(0.1)
    line._thread.join(60)
    assert not line._thread.is_alive()


def test_a_gui_at_an_ipv6_address(start_receiver) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("this computer has no IPv6")
    gui = start_receiver("open_ephys.py", port, "good", "::1")
    output = opened(port, host="::1")
    output.renew(True, Reason.CONDITION, 0, 0.0)
    assert gui.take(2) == [OFF, ON]
    output.close()


def test_strange_answers_do_no_harm(start_receiver, free_port: int) -> None:
    start_receiver("open_ephys.py", free_port, "garbage")
    output = OpenEphysOutput(3, port=free_port, patience=60, timeout=10)
    with pytest.raises(UsageError, match="refuses line 3: ") as raised:
        output.open(0.0)
    assert len(str(raised.value)) < 600
    output.close()


def test_a_session_that_fails_requests_off(start_receiver, free_port: int) -> None:
    """With a trigger of another package."""
    processors = pytest.importorskip("dlclive_processors", reason="needs dlclive-processors")
    gui = start_receiver("open_ephys.py", free_port, "good")

    def condition(pose: Pose, frame: object) -> bool:
        if frame.index == 5:
            raise RuntimeError("the condition is broken")
        return frame.index >= 2

    output = OpenEphysOutput(3, port=free_port, patience=60, timeout=10, lifespan=60)
    trigger = processors.Stimulate(condition=condition, output=output)
    with pytest.raises(PluginError, match="the condition is broken"):
        Session(source=BlobSource(frames=20), model=NullModel(3), processors=[trigger]).run()
    assert output.counts()["changes"] == 2
    assert not output.is_on
    requests = [gui.next()]
    while len(requests) < output.counts()["acknowledged"]:
        requests.append(gui.next())
    assert requests[-1] == OFF


@pytest.mark.parametrize(
    "options", [{"line": 0}, {"line": 257}, {"port": 0}, {"timeout": 0.0}, {"patience": 0}, {"host": ""}]
)
def test_bad_options_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=rf"^{next(iter(options))} is "):
        OpenEphysOutput(**options)


def read_until(gui, request: str) -> None:
    while gui.next() != request:  # on a busy machine, the one before may have been made again
        pass
