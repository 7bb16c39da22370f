"""Processors whose conditions can be combined."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from typing_extensions import Self

from dlclive_core import PartBuilder, Processor, ProcessorInfo, UsageError, first_of
from dlclive_processors.triggers.condition import Condition


class Combinable(Processor):
    """A processor with a condition, which `all`, `any`, `not` and `sequence` can take.

    Such a processor is an option of theirs: `of=[{speed:threshold=300},{region:polygon=...,keypoint=snout}]`. Only its
    condition is used; it is never opened.
    """

    @property
    @abstractmethod
    def condition(self) -> Condition:
        """What is true of a pose."""

    @property
    @abstractmethod
    def unused_options(self) -> Sequence[str]:
        """Options that were given and that have no effect inside a combination, such as `hold` or `output`."""

    @classmethod
    def from_option(cls, text: str, parts: PartBuilder) -> Self:
        """Build the processor that an option names. Raises UsageError, PluginError, DependencyError."""
        processor = parts.build(ProcessorInfo, text)
        if not isinstance(processor, cls):
            name = text.strip("{ ").partition(":")[0].strip('"} ')
            raise UsageError(
                f"processor {name!r} has no condition that could be combined; take a trigger, such as speed"
            )
        return processor


def conditions(of: Sequence[Combinable], what: str) -> list[Condition]:
    """The conditions of the processors in a combination.

    Raises:
        UsageError: there is none; one is not a trigger; one has an option that only the combination itself can have.
    """
    if not of:
        raise UsageError("option 'of' is empty; give at least one trigger, such as of=[{speed:threshold=300}]")
    errors = []
    for processor in of:
        if not isinstance(processor, Combinable):
            raise UsageError(f"of takes triggers; got {type(processor).__name__}")
        errors += [
            UsageError(f"option {option!r} of a trigger inside {what} has no effect; give it to {what} itself")
            for option in processor.unused_options
        ]
    if errors:
        raise first_of(errors)
    return [processor.condition for processor in of]
