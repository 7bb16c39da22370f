"""Which frames a student learns from and is judged on, with the teacher's labels, in files."""

from dlclive_distill.footage.choice import is_chosen
from dlclive_distill.footage.labelled import Footage, Labelled
from dlclive_distill.footage.prepare import prepare_footage
from dlclive_distill.footage.varied import label_varied

__all__ = ["Footage", "Labelled", "is_chosen", "label_varied", "prepare_footage"]
