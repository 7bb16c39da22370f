"""Assembly of animals from keypoint candidates, and identity. In pure numpy."""

from dlclive_core.models.assembly.assemble import assemble
from dlclive_core.models.assembly.identity import order_by_identity

__all__ = ["assemble", "order_by_identity"]
