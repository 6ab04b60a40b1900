"""Comparing what trainings end with."""

from typing import Any

import torch

from dltool.engine.packing import pack


def same_state(left: Any, right: Any) -> bool:
    """Whether two states are bitwise equal."""
    left_tensors, left_tree = pack(left)
    right_tensors, right_tree = pack(right)
    return left_tree == right_tree and all(
        tensor.dtype == right_tensors[name].dtype and torch.equal(tensor, right_tensors[name])
        for name, tensor in left_tensors.items()
    )
