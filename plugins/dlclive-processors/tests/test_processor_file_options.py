"""The options of a processor in a user's file: from its constructor, or from PROCESSOR_PARAMS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dlclive_processors import ProcessorFromFile

from dlclive_core import PluginError, RunInfo, UsageError

Write = Callable[..., Path]

REWARD = """
    from dlclive import Processor

    class Reward(Processor):
        def __init__(self, com, rate=10, gain=0.5, loud=False, names=(), **kwargs):
            super().__init__(**kwargs)
            self.options = dict(com=com, rate=rate, gain=gain, loud=loud, names=names)
    """


def test_options_become_what_the_constructor_declares(write: Write, make_run: Callable[..., RunInfo]) -> None:
    texts = {"com": "/dev/ttyACM0", "rate": "2.5", "gain": "3", "loud": "yes", "names": "[a, b]"}
    processor = ProcessorFromFile(str(write(REWARD)), **texts)
    processor.open(make_run())
    options = processor.processor.options
    assert options == {"com": "/dev/ttyACM0", "rate": 2.5, "gain": 3.0, "loud": True, "names": ("a", "b")}
    assert isinstance(options["gain"], float)


def test_annotations_come_before_defaults_and_names_of_base_classes_are_options(
    write: Write, make_run: Callable[..., RunInfo]
) -> None:
    file = write(
        """
        from __future__ import annotations
        from dlclive.processor import Processor, KalmanFilterPredictor

        class Base(KalmanFilterPredictor):
            def __init__(self, port: str = None, limit: int | None = 3, **kwargs):
                super().__init__(**kwargs)
                self.port, self.limit = port, limit

        class Mine(Base):
            def __init__(self, key: bytes = b"", table: dict = None, **kwargs):
                super().__init__(**kwargs)
                self.key, self.table = key, table
        """
    )
    options = {"port": "7", "limit": "none", "key": "secret", "table": "{a: [1]}", "forward": "0.01"}
    processor = ProcessorFromFile(f"{file}::Mine", **options)
    processor.open(make_run())
    made = processor.processor
    assert (made.port, made.limit, made.key, made.table) == ("7", None, b"secret", {"a": [1]})
    assert made.forward == 0.01
    with pytest.raises(UsageError, match=r"option 'limit' of .*::Mine takes a whole number; got 'high'"):
        ProcessorFromFile(f"{file}::Mine", limit="high")


def test_a_name_that_kwargs_takes_is_passed_on_with_a_warning_if_it_looks_like_a_slip(
    write: Write, make_run: Callable[..., RunInfo], caplog: pytest.LogCaptureFixture
) -> None:
    file = write(
        """
        class Mine:
            def __init__(self, forward=0.002, **kwargs):
                self.more = kwargs

            def process(self, pose, **kwargs):
                return pose
        """
    )
    processor = ProcessorFromFile(str(file), foward="0.01", colour="red")
    processor.open(make_run())
    assert processor.processor.more == {"foward": 0.01, "colour": "red"}
    assert [record.getMessage() for record in caplog.records] == [
        f"option 'foward' is passed on to {file}::Mine, which does not name it; did you mean 'forward'?"
    ]


PARAMS = """
    class Socket:
        PROCESSOR_NAME = "Socket of the lab"
        PROCESSOR_PARAMS = {
            "bind": {"type": "tuple", "default": ("0.0.0.0", 6000), "description": "address"},
            "authkey": {"type": bytes, "default": None, "description": "key"},
            "rate": {"type": "int", "default": 5, "description": "per second"},
            "cutoff": {"type": "float", "description": "has no default"},
            "loud": {"type": "bool", "default": False},
            "names": {"type": "list", "default": []},
            "table": {"type": "dict", "default": {}},
            "title": {"type": "str", "default": ""},
        }

        def __init__(self, **kwargs):
            self.options = kwargs

        def process(self, pose, **kwargs):
            return pose
    """


def test_processor_params_give_types_and_defaults(write: Write, make_run: Callable[..., RunInfo]) -> None:
    texts = {
        "bind": '("127.0.0.1", 7000)',
        "authkey": "b'k'",
        "cutoff": "1",
        "loud": "on",
        "table": "{a: 1}",
        "title": "5",
    }
    processor = ProcessorFromFile(f"{write(PARAMS)}::Socket of the lab", **texts)
    processor.open(make_run())
    options = processor.processor.options
    assert options == {
        "bind": ("127.0.0.1", 7000),
        "authkey": b"k",
        "rate": 5,
        "cutoff": 1.0,
        "loud": True,
        "names": [],
        "table": {"a": 1},
        "title": "5",
    }
    assert options["names"] is not processor._loaded.cls.PROCESSOR_PARAMS["names"]["default"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutoff": "1", "rat": "3"}, "::Socket has no option 'rat': did you mean 'rate'?"),
        ({}, "::Socket needs the option 'cutoff': add cutoff=..."),
        ({"cutoff": "high"}, "option 'cutoff' of {file}::Socket takes a number; got 'high'"),
        ({"cutoff": "1", "rate": "2.5"}, "option 'rate' of {file}::Socket takes a whole number; got '2.5'"),
        ({"cutoff": 1, "loud": 3}, "option 'loud' of {file}::Socket takes true or false; got 3"),
        ({"cutoff": True}, "takes a number; got True"),
        ({"cutoff": "1", "bind": "6000"}, "takes a list such as [1,2,3]; got '6000'"),
        ({"cutoff": "1", "table": "[1]"}, "takes a mapping such as {a: 1}; got '[1]'"),
    ],
)
def test_options_that_do_not_fit_are_refused(write: Write, options: dict[str, object], message: str) -> None:
    file = write(PARAMS)
    with pytest.raises(UsageError) as raised:
        ProcessorFromFile(str(file), **options)
    assert message.replace("{file}", str(file)) in str(raised.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("['a']", "PROCESSOR_PARAMS of {file}::Mine is a list, not a dict"),
        ("{'a': 3}", "PROCESSOR_PARAMS of {file}::Mine has the entry 'a': 3, which is not name -> "),
        ("{4: {}}", "PROCESSOR_PARAMS of {file}::Mine has the entry 4: {}, which is not name -> "),
        (
            "{'a': {'type': 'complex'}}",
            "PROCESSOR_PARAMS['a'] of {file}::Mine has the type 'complex'; it must be one of bool,",
        ),
        ("{'a': {'type': set}}", "PROCESSOR_PARAMS['a'] of {file}::Mine has the type set; it must be one of bool,"),
    ],
)
def test_processor_params_of_a_wrong_form_are_named(write: Write, params: str, message: str) -> None:
    file = write(f"class Mine:\n    PROCESSOR_PARAMS = {params}\n    def process(self, pose, **kwargs): return pose\n")
    with pytest.raises(PluginError) as raised:
        ProcessorFromFile(str(file))
    assert message.replace("{file}", str(file)) in str(raised.value)
    assert "\n" not in str(raised.value)
