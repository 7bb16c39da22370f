"""OpenVINO for dlclive: networks in fp32, bf16 and int8 on CPUs."""

__version__ = "0.1.0"
