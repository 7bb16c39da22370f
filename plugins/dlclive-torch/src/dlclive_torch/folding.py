"""Fold batch normalisations into the preceding convolutions: the same function with fewer operations."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(network: nn.Module) -> None:
    """Replace each convolution and the batch normalisation after it by one convolution, in place, in eval mode.

    Folding is computed in double precision, so weights are rounded once. A pair is two consecutive children of one module.
    This works for all of timm's and our networks, whose modules list their layers in the order of calls. Other batch
    normalisations are not changed.
    """
    for module in list(network.modules()):
        children = list(module.named_children())
        for (name, layer), (next_name, next_layer) in pairwise(children):
            if not isinstance(layer, nn.Conv2d) or not isinstance(next_layer, nn.BatchNorm2d):
                continue
            if layer.out_channels == next_layer.num_features and not next_layer.training:
                kind = layer.weight.dtype
                setattr(module, name, fuse_conv_bn_eval(layer.double(), next_layer.double()).to(kind))
                setattr(module, next_name, nn.Identity())
