"""Stacked MNIST: 1,000 known modes, to count how many a generative model finds."""

from itertools import product

import torch

from dltool.data.arrays import RawData, Split
from dltool.data.image_data import ImageData
from dltool.data.mnist import load_idx
from dltool.declarations.component import Location, Membership, Placement, Positive, register

CHANNELS = 3


@register("data", "stacked_mnist", into=ImageData, inputs="image", targets="classes", stacked="mnist")
def stacked_mnist(
    rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    download: Placement[bool] = False,
    num_samples: Membership[Positive[int]] = 128_000,
    num_test_samples: Membership[Positive[int]] = 25_600,
) -> RawData:
    """Three digits drawn at random as the red, green and blue channel of one image (Metz et al. 2017,
    arXiv:1611.02163, section 3.3.1; Srivastava et al. 2017, arXiv:1705.07761, section 4.1).

    The class is the number that the digits form, red first: "000" … "999". Training images are made from MNIST's
    training images, held-out ones from its test images. The papers draw digits again for each batch; here a fixed
    number of stacks is drawn once, by `split_seed`.

    Args:
        rng: Draws the digits.
        root: Folder that holds MNIST/raw/, raw/ or the four IDX files themselves, gzipped or not; null: ./data.
        download: Fetch the files to root/MNIST/raw/ if they are not there.
        num_samples: Stacks of training digits (2,352 bytes each); the validation split is cut from them.
        num_test_samples: Stacks of test digits; the papers count the modes of 25,600 or 26,000 samples.
    """
    digits = load_idx("MNIST", tuple("0123456789"), root, download)
    assert digits.test is not None
    names = tuple(map("".join, product("0123456789", repeat=CHANNELS)))
    train, test = stacked(digits.train, num_samples, rng), stacked(digits.test, num_test_samples, rng)
    return RawData(train, None, test, "classes", names, origin=digits.origin)


def stacked(digits: Split, count: int, rng: torch.Generator) -> Split:
    """`count` images whose channels are digits drawn at random."""
    rows = torch.randint(len(digits), (count, CHANNELS), generator=rng)
    number = digits.targets[rows] @ torch.tensor([100, 10, 1])
    return Split(digits.inputs[rows, 0], number)  # (N, 3) -> (N, 3, 28, 28)
