"""ONNX Runtime for dlclive: CPU and CUDA.

Its official builds report to Microsoft what they run, names of models included, unless this variable is set before they are
imported.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
