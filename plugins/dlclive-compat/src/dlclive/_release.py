"""The version of the distribution dlclive-compat. `dlclive.__version__` says which deeplabcut-live this stands for."""

__version__ = "0.1.0"
