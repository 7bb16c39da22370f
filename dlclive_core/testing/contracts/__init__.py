"""One class of tests per kind of component: inherit it, override its fixture, and the component is held to its contract.

A subclass may add tests, and must not override the inherited ones: `test_the_contract_is_whole` fails if it does.
"""

from dlclive_core.testing.contracts.exporter import ExporterContract
from dlclive_core.testing.contracts.pose_model import PoseModelContract
from dlclive_core.testing.contracts.processor import ProcessorContract
from dlclive_core.testing.contracts.sink import SinkContract
from dlclive_core.testing.contracts.source import FrameSourceContract

__all__ = ["ExporterContract", "FrameSourceContract", "PoseModelContract", "ProcessorContract", "SinkContract"]
