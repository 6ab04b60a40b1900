"""How many samples an evaluation takes at a time, where data.eval_batch_size is auto."""

import math
from collections.abc import Sequence

LARGEST = 512
ROOM = 2**28  # Bytes: 256 MB. On a CPU a batch of 16 large images is as fast as one of 64.
USUAL_PIXELS = 32 * 32  # Of images that come in the largest batches, where nothing else is known.
LEAST_BY_SIZE = 16


def fitting_batch(sample_bytes: int | None, input_shape: Sequence[int]) -> int:
    """A power of two of samples, at most 512.

    Args:
        sample_bytes: What a forward pass takes for one sample; batches stay within 256 MB. None where that is not
            known: then 512 samples, or of images larger than 32×32 as many as have that many pixels, but 16 at least.
        input_shape: Of a sample, `(C, H, W)` for an image.
    """
    if sample_bytes is not None:
        wanted = ROOM // max(sample_bytes, 1)
    elif len(input_shape) == 3:
        wanted = max(LARGEST * USUAL_PIXELS // math.prod(input_shape[1:]), LEAST_BY_SIZE)
    else:
        wanted = LARGEST
    return min(LARGEST, 2 ** (max(wanted, 1).bit_length() - 1))
