"""Rows of handwritten digits, captioned with the digits' names."""

from typing import Literal

import torch

from dltool.data.arrays import RawData, Split, Texts
from dltool.data.builtin import digits
from dltool.data.caption_data import CaptionData
from dltool.data.number_words import CHINESE_DIGITS, UNITS
from dltool.declarations.component import Membership, Positive, Source, register

NAMES = {
    "english": UNITS[:10],
    "chinese": tuple(CHINESE_DIGITS),
    "german": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
}
HELD_OUT = 0.1  # Of the handwritten digits, for the validation split, and again for the test split.


@register("data", "caption_digits", into=CaptionData, inputs="image", targets="sequence")
def caption_digits(
    rng: torch.Generator,
    *,
    count: Source[Positive[int]] = 2,
    language: Source[Literal["english", "chinese", "german"]] = "english",
    num_samples: Membership[Positive[int]] = 10_000,
) -> RawData:
    """Some of the built-in digits side by side, 8×8 pixels each, and their names: "seven two", 七二.

    The 1,797 digits are split first, so that no handwriting of a held-out image was seen in training; validation and
    test split are a tenth of `num_samples` each.

    Args:
        rng: The generator seeded with `data.split_seed`.
        count: Digits in an image.
        language: Language of the names.
        num_samples: Images to train on.
    """
    source = digits(rng).train
    order = torch.randperm(len(source), generator=rng)
    held = round(HELD_OUT * len(source))
    parts = {"test": order[:held], "val": order[held : 2 * held], "train": order[2 * held :]}
    splits: dict[str, Split] = {}
    captions: list[str] = []
    for name, places in parts.items():
        size = num_samples if name == "train" else max(1, num_samples // 10)
        chosen = places[torch.randint(len(places), (size, count), generator=rng)]  # (N, count)
        images = source.inputs[chosen].permute(0, 2, 3, 1, 4).reshape(size, 1, 8, 8 * count)
        splits[name] = Split(images, torch.arange(len(captions), len(captions) + size), torch.arange(size))
        between = "" if language == "chinese" else " "
        captions += [between.join(NAMES[language][digit] for digit in row) for row in source.targets[chosen].tolist()]
    texts = Texts(targets=captions)
    return RawData(splits["train"], splits["val"], splits["test"], "sequence", texts=texts, origin="caption_digits")
