"""A data set of texts: sentences of Python's own documentation, to be assigned to their modules.

To run it, then to use the run:

    dltool train --trust texts.py data=docstrings model=bag_of_words data.tokenizer.kind=word optim.lr=0.01
    dltool predict --trust texts.py RUN --text "Return the cosine of x."
"""

import inspect
import math
import os
import random
import statistics
from types import ModuleType

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split, Texts
from dltool.data.sequence_data import SequenceData
from dltool.declarations.component import Membership, Positive, register

MODULES = (math, os, random, statistics)


# `into=SequenceData`: dltool makes the splits, the vocabulary and the batches, with the keys of that class, such as
# data.batch_size and data.tokenizer.kind. Other kinds of data: into=ImageData, TableData, PairData (pairs of texts),
# StreamData (one long text). `targets`: "classes", "tags", "next_token", "sequence"; see dltool/declarations/traits.py.
@register("data", "docstrings", into=SequenceData, inputs="sequence", targets="classes")
def docstrings(_rng: torch.Generator, *, min_words: Membership[Positive[int]] = 4) -> RawData:
    """Sentences from the docstrings of four modules.

    The positional argument is a generator for synthetic data, seeded with data.split_seed. A file of your own would be
    `path: Location[str | None] = None`: only the command line may set such a key, `data.path=FILE`. Location says that
    the same contents elsewhere are the same data, and Membership marks a key that chooses samples, so that a run's
    results are not confused with those on other samples.

    Args:
        min_words: Shorter sentences are left out.

    Raises:
        DataError: No sentence is as long.
    """
    texts: list[str] = []
    labels: list[int] = []
    for label, module in enumerate(MODULES):
        found = [text for text in sentences(module) if len(text.split()) >= min_words]
        texts += found
        labels += [label] * len(found)
    if not texts:
        raise DataError(f"data.min_words={min_words}: no sentence has as many words", "data.min_words=4")
    # Inputs are indices of the texts until the tokenizer, fitted to the training split, replaces them.
    train = Split(torch.arange(len(texts)), torch.tensor(labels))
    names = tuple(module.__name__ for module in MODULES)
    # None: no official validation and test splits exist, so that data.val_fraction and data.test_fraction make them.
    return RawData(train, None, None, "classes", class_names=names, texts=Texts(inputs=texts), origin="docstrings")


def sentences(module: ModuleType) -> list[str]:
    """The sentences of the docstrings of a module's functions and classes, each once, in the order of their names."""
    documented = [inspect.getdoc(value) or "" for name, value in sorted(vars(module).items()) if callable(value)]
    lines = " ".join(" ".join(documented).split()).split(". ")
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))
