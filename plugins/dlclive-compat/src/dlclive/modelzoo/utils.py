"""The functions of `dlclive.modelzoo`, where deeplabcut-live has them."""

from dlclive.modelzoo import (
    _MODELZOO_PATH,
    download_super_animal_snapshot,
    list_available_combinations,
    list_available_models,
    list_available_projects,
    load_super_animal_config,
)

__all__ = [
    "_MODELZOO_PATH",
    "download_super_animal_snapshot",
    "list_available_combinations",
    "list_available_models",
    "list_available_projects",
    "load_super_animal_config",
]
