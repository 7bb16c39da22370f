"""`export_modelzoo_model`, where deeplabcut-live has it."""

from dlclive.modelzoo import export_modelzoo_model

__all__ = ["export_modelzoo_model"]
