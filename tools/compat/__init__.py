"""The proof that `dlclive` of dlclive-compat stands in for deeplabcut-live: tests of others, the GUI's worker, ten scripts.

`python -m nox -s compat` runs it.
"""
