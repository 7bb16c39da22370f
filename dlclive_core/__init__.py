"""dlclive: real-time pose estimation of animals with DeepLabCut models.

This namespace is public, as are `dlclive_core.runtimes` (for authors of runtimes and exporters) and `dlclive_core.testing`.
Its names are listed in `__init__.pyi`, and each is imported when it is first used, so that importing the package loads
neither numpy nor a plugin. EAGER_IMPORT=1 in the environment imports them all at once, to find a broken one.
"""

import lazy_loader

__version__ = "0.1.0"

_load_name, _, _names = lazy_loader.attach_stub(__name__, __file__)

__all__ = sorted([*_names, "__version__"])

_RENAMED = {
    "Finding": "DetectionOptions",
    "Follow": "FollowingBox",
    "Placement": "CropTransform",
}
"""Public names of earlier versions, and what they are called now."""


def __getattr__(name: str) -> object:
    if name in _RENAMED:  # an AttributeError would be replaced by Python's own text in `from dlclive_core import ...`
        raise ImportError(f"dlclive_core.{name} is now dlclive_core.{_RENAMED[name]}", name=__name__)
    return _load_name(name)


def __dir__() -> list[str]:
    return __all__
