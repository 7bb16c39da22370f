"""The model card of a table that another program wrote: names, and nothing of a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlclive_core.data.card import ModelCard
from dlclive_core.data.skeleton import Skeleton
from dlclive_core.errors import DataError, UsageError

UNKNOWN_NETWORK = "unknown"
"""`ModelCard.net_type` of a table that does not tell."""
_SCORER = "dlclive"  # as in ModelCard


def foreign_card(
    path: Path,
    keypoints: Sequence[str],
    *,
    edges: Sequence[tuple[int, int]] = (),
    individuals: Sequence[str] = (),
    multi_animal: bool | None = None,
    unique_keypoints: Sequence[str] = (),
    scorer: str = "",
) -> ModelCard:
    """A card with the names of a file.

    Args:
        path: of the file, for messages.
        individuals: empty: a single animal without a name.
        multi_animal: None: whether there are names of individuals.
        scorer: empty: that of a card without one.

    Raises:
        DataError: a name is empty, repeated or unprintable, or there are too many; an edge is out of range.
    """
    names = tuple(individuals) or ("individual_1",)
    try:
        return ModelCard(
            net_type=UNKNOWN_NETWORK,
            skeleton=Skeleton(tuple(keypoints), tuple((int(a), int(b)) for a, b in edges)),
            individuals=names,
            multi_animal=bool(individuals) if multi_animal is None else multi_animal,
            unique_keypoints=tuple(unique_keypoints),
            scorer=scorer or _SCORER,
        )
    except (UsageError, ValueError) as error:
        raise DataError(f"{path} has names that cannot be used: {error}") from None
