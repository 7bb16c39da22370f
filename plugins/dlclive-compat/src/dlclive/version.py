"""The version that callers ask for: the deeplabcut-live whose interface this is, and that it is not that one."""

__version__ = "1.1.0+dlclive"
VERSION = __version__
