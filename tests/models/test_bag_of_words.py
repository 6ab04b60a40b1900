"""The bag of words is a linear layer on counts."""

import pytest
import torch
from torch.nn import functional as F

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.models.bag_of_words import BagOfWords

SPEC = DataSpec((4,), class_names=("good", "bad", "so so"), output_dim=3, num_tokens=7, padded=True)
TEXTS = torch.tensor([[4, 5, 4, 0], [6, 0, 0, 0], [1, 4, 5, 6]])


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_is_a_matrix_times_the_counts(pooling: str) -> None:
    torch.manual_seed(0)
    model = BagOfWords(SPEC, pooling=pooling)
    torch.nn.init.normal_(model.weights.weight)
    torch.nn.init.normal_(model.bias)
    counts = F.one_hot(TEXTS, 7).sum(dim=1).float()
    counts[:, 0] = 0  # Padding is no word.
    if pooling == "mean":
        counts /= counts.sum(dim=1, keepdim=True)
    torch.testing.assert_close(model(TEXTS), counts @ model.weights.weight + model.bias)


def test_order_and_padding_do_not_count() -> None:
    model = BagOfWords(SPEC)
    torch.nn.init.normal_(model.weights.weight)
    torch.testing.assert_close(model(torch.tensor([[4, 5, 4, 0, 0]])), model(torch.tensor([[5, 4, 4]])))


def test_learns_which_words_tell_the_classes_apart() -> None:
    torch.manual_seed(0)
    texts = torch.randint(4, 7, (60, 4))
    labels = texts.mode(dim=1).values - 4
    model = BagOfWords(SPEC)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(texts), labels).backward()
        optimizer.step()
    clear = texts.eq(texts.mode(dim=1, keepdim=True).values).sum(dim=1) > 2
    assert (model(texts).argmax(dim=1) == labels)[clear].float().mean() > 0.95


def test_needs_words() -> None:
    with pytest.raises(ConfigError, match="counts words"):
        BagOfWords(DataSpec((5, 2), output_dim=1))
