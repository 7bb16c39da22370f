"""OpenVINO, imported without its telemetry.

`import openvino` reports the import to a Google server, and NNCF reports its arguments, unless a file in the home folder opts
out; both write an identifier into that folder. The user did not agree to this, so the package that sends the reports is hidden
here; both libraries work without it. If the program imports OpenVINO before this module, the telemetry stays on.
"""

from __future__ import annotations

import sys

if "openvino" not in sys.modules:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes the import fail

import openvino as ov
from openvino.utils import replace_node

__all__ = ["ov", "replace_node"]
