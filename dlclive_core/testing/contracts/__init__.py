"""One class of tests per kind of component. Inherit it and override its fixture to test a component against its contract.

A subclass may add tests, but must not override inherited ones: `test_no_inherited_test_is_overridden` fails if it does.
"""

from dlclive_core.testing.contracts.exporter import ExporterContract
from dlclive_core.testing.contracts.pose_model import PoseModelContract
from dlclive_core.testing.contracts.processor import ProcessorContract
from dlclive_core.testing.contracts.sink import SinkContract
from dlclive_core.testing.contracts.source import FrameSourceContract
from dlclive_core.testing.contracts.table_format import TableFormatContract

__all__ = [
    "ExporterContract",
    "FrameSourceContract",
    "PoseModelContract",
    "ProcessorContract",
    "SinkContract",
    "TableFormatContract",
]
