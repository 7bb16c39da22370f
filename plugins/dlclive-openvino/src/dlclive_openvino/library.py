"""OpenVINO, imported without its telemetry.

`import openvino` tells a server of Google that it was imported, and NNCF what it was called with, unless a file in the home
folder forbids it; both write an identity into that folder. Nobody was asked, so it is not done: where the package that
sends is not to be found, both do without it. Whoever imports OpenVINO first, before this module, gets what it does.
"""

from __future__ import annotations

import sys

if "openvino" not in sys.modules:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # Python's way to say: cannot be imported

import openvino as ov
from openvino.utils import replace_node

__all__ = ["ov", "replace_node"]
