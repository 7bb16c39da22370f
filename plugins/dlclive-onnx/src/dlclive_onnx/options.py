"""Options of ONNX Runtime: threads and spinning on the CPU, and those of the CUDA provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import onnxruntime as ort

from dlclive_core import UsageError
from dlclive_core.runtimes import usable_cores

Spinning = Literal["never", "frame", "always"]
_SPINNINGS = ("never", "frame", "always")
Search = Literal["exhaustive", "heuristic", "default"]
_SEARCHES = ("exhaustive", "heuristic", "default")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuOptions:
    """Options of an inference on the CPU.

    Attributes:
        threads: None: the number of physical cores that the process may use.
        spinning: when idle threads spin. "never": they sleep. "frame": they spin between the layers of a network, which is
            5 to 25 % faster on an idle computer, and up to 90 % slower if anything else needs one of the cores: a camera, a
            decoder, a display. "always": they also spin between frames.
    """

    threads: int | None = None
    spinning: Spinning = "never"

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be at least 1; got {self.threads}")
        if self.spinning not in _SPINNINGS:
            raise UsageError(f"spinning must be one of {', '.join(_SPINNINGS)}; got {self.spinning!r}")

    def session_options(self) -> ort.SessionOptions:
        """The options of a session, for the CPU and for the parts of a network that stay on it."""
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only: warnings about node placement are not for users
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self.threads or usable_cores()
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(self.spinning != "never")))
        options.add_session_config_entry("session.force_spinning_stop", str(int(self.spinning != "always")))
        return options


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaOptions:
    """Options of ONNX Runtime's CUDA provider; the names in backquotes are its own.

    Attributes:
        nhwc: `prefer_nhwc`: channels last, the layout of tensor cores; ONNX Runtime transposes where necessary.
        graph: `enable_cuda_graph`: all kernels of an inference are launched at once, as captured on a shape's first frames.
        tf32: `use_tf32`: compute fp32 with a mantissa of ten bits. Off: true fp32.
        search: `cudnn_conv_algo_search`: how the algorithm of a convolution is chosen on the first frame of a shape:
            "exhaustive" measures all, which pays off while the shape stays; "heuristic" guesses, for shapes that change.
        stream: `user_compute_stream`: the address of the caller's own CUDA stream to run on.
    """

    nhwc: bool = True
    graph: bool = False
    tf32: bool = False
    search: Search = "exhaustive"
    stream: int | None = None

    def __post_init__(self) -> None:
        if self.search not in _SEARCHES:
            raise UsageError(f"cuda_search must be one of {', '.join(_SEARCHES)}; got {self.search!r}")

    def provider_options(self, device_id: str) -> dict[str, str]:
        """The provider's options, as text."""
        options = {
            "device_id": device_id,
            "prefer_nhwc": str(int(self.nhwc)),
            "enable_cuda_graph": str(int(self.graph)),
            "use_tf32": str(int(self.tf32)),
            "cudnn_conv_algo_search": self.search.upper(),
        }
        return options if self.stream is None else {**options, "user_compute_stream": str(self.stream)}
