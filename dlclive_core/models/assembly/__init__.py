"""Animals put together from candidates for their keypoints, and told apart. In numpy alone."""

from dlclive_core.models.assembly.assemble import assemble
from dlclive_core.models.assembly.identity import order_by_identity

__all__ = ["assemble", "order_by_identity"]
