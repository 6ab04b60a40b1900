"""The size of evaluation batches where data.eval_batch_size is auto."""

import math
from collections.abc import Sequence

LARGEST = 512
ROOM = 2**28  # Bytes: 256 MB. On a CPU a batch of 16 large images is as fast as one of 64.
USUAL_PIXELS = 32 * 32  # Images up to this size get the largest batches, if nothing else is known.
LEAST_BY_SIZE = 16


def fitting_batch(sample_bytes: int | None, input_shape: Sequence[int]) -> int:
    """A power of two of samples, at most 512.

    Args:
        sample_bytes: Bytes that a forward pass needs for one sample; batches stay within 256 MB. None if unknown: then
            512 samples, or for images larger than 32×32 as many as have the same number of pixels, but at least 16.
        input_shape: Shape of a sample, `(C, H, W)` for an image.
    """
    if sample_bytes is not None:
        size = ROOM // max(sample_bytes, 1)
    elif len(input_shape) == 3:
        size = max(LARGEST * USUAL_PIXELS // math.prod(input_shape[1:]), LEAST_BY_SIZE)
    else:
        size = LARGEST
    return min(LARGEST, 2 ** (max(size, 1).bit_length() - 1))
