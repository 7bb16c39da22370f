"""Whether int8 products overflow on this processor, which makes an int8 file wrong on an old one.

Without VNNI, x86 processors add two products of an unsigned and a signed byte in sixteen bits, which the largest products
exceed. ONNX Runtime has a slower mode that is correct there (`session.x64quantprecision`), but leaves it to the caller to
know when it is needed. So a product is computed and checked.
"""

from __future__ import annotations

import base64
from functools import cache

import numpy as np
import onnxruntime as ort

# c = MatMulInteger(a, b) of uint8 (4, 8) and int8 (8, 16), opset 13, as written by onnx.helper
_PRODUCT = base64.b64decode(
    "CAgSADpcChgKAWEKAWISAWMiDU1hdE11bEludGVnZXISAWdaEwoBYRIOCgwIAhIICgIIBAoCCAhaEwoBYhIOCgwIAxIICgIICAoCCBBi"
    "EwoBYxIOCgwIBhIICgIIBAoCCBBCBAoAEA0="
)


@cache
def products_overflow() -> bool:
    """Compute the largest products and check them. Takes a millisecond, once per process."""
    session = ort.InferenceSession(_PRODUCT, providers=["CPUExecutionProvider"])
    largest = {"a": np.full((4, 8), 255, np.uint8), "b": np.full((8, 16), 127, np.int8)}
    return bool((session.run(None, largest)[0] != 8 * 255 * 127).any())
