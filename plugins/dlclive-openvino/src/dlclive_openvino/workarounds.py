"""What OpenVINO gets wrong in graphs that are right, written in another way."""

from __future__ import annotations

import numpy as np

from dlclive_openvino.library import ov, replace_node

_OPS = ov.opset13


def rewrite(model: ov.Model) -> None:
    """Change a model in place, so that it is compiled to what it says.

    - `Abs` of something that is constant once the sizes are fixed is dropped, so that negative numbers stay negative
      (openvino pull request 31735, not merged in 2026.4): the mirror at the edge of a padded image is computed with it.
      It becomes the larger of x and -x.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Abs":
            value = node.input_value(0)
            minus = _OPS.constant(np.array(-1), value.get_element_type())
            larger = _OPS.maximum(value, _OPS.multiply(value, minus))
            larger.set_friendly_name(node.get_friendly_name())
            replace_node(node, larger)
