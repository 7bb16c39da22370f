"""Animals put together from candidates for their keypoints, and told apart. In numpy alone."""

from dlclive_core.assembly.assemble import assemble
from dlclive_core.assembly.identity import order_by_identity
from dlclive_core.assembly.rules import AssemblyRules

__all__ = ["AssemblyRules", "assemble", "order_by_identity"]
