"""Two unpaired domains made of handwritten digits."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch

from dltool.core.randomness import generator
from dltool.data.arrays import RawData, Split
from dltool.data.digit_styles import Style, StyleData, load_digits, root_is_of_mnist
from dltool.data.mixing import no_mixing
from dltool.data.sample_data import LoadFunction, SampleData
from dltool.data.splits import fold_of_each
from dltool.data.unpaired_data import UnpairedData
from dltool.declarations.component import Handling, Location, Placement, Positive, Source, register

PAIRS: Mapping[str, tuple[Style, Style]] = {
    "inverted": ("upright", "inverted"),
    "thickness": ("thin", "thick"),
    "turned": ("upright", "turned"),
}


class DigitDomains(UnpairedData):
    """Two styles of digits, each of a different half of the digits: no digit is in both domains.

    The digits are split before they are halved, so that a classifier trained on data=digit_styles with the same
    fractions and split_seed has not seen the held-out digits.

    Args:
        load: Loads the digits.
        pair: Which styles A and B have (dltool.data.digit_styles): "inverted" is white on black and black on white,
            "thickness" thin and thick, "turned" upright and upside down. The last shows a limit of the method: an
            upside-down 6 is a 9, and nothing says which of the two a 6 should become.
        resize: Side of the square, or [height, width], that images are resized to; see data=digits.
        residency: The same.
        shared: See UnpairedData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        pair: Handling[Literal["inverted", "thickness", "turned"]] = "inverted",
        resize: Handling[Literal["auto"] | Positive[int] | list[Positive[int]] | None] = "auto",
        residency: Placement[Literal["auto", "device", "host"]] = "auto",
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.load = load
        self.pair = pair
        self.of_images: dict[str, Any] = {"resize": resize, "residency": residency}

    def _make_domains(self) -> tuple[SampleData, SampleData]:
        a, b = PAIRS[self.pair]
        make = partial(HalfInOneStyle, self.load, **self.shared, **self.of_images)
        return make(half=0, style=a), make(half=1, style=b)


class HalfInOneStyle(StyleData):
    """One half of the digits of each split, with as many of each class as the other half, in one style."""

    def __init__(self, load: LoadFunction, *, half: int, style: Style, **shared: Any) -> None:
        super().__init__(load, styles=[style], **shared)
        self.half = half

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        self.splits = {name: self._halved(name, split) for name, split in self.splits.items()}
        super()._shape(model_traits)

    def _halved(self, name: str, split: Split) -> Split:
        order = torch.randperm(len(split), generator=generator(self.split_seed, "halves", name))
        return split.select((fold_of_each(split.targets, 2, order) == self.half).nonzero()[:, 0])


@register("data", "digit_pairs", into=DigitDomains, inputs="image", targets="images")
@root_is_of_mnist
@no_mixing
def digit_pairs(
    rng: torch.Generator, *, source: Source[Literal["digits", "mnist"]] = "digits", root: Location[str | None] = None
) -> RawData:
    """Handwritten digits for translation from one style into another, without pairs.

    Args:
        rng: Unused: nothing is random.
        source: "digits", the built-in ones of 8×8 pixels, or "mnist".
        root: Folder of MNIST, see data=mnist.
    """
    return load_digits(rng, source, root)
