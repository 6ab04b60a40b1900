import matplotlib.image
import numpy as np
import pytest

from dltool.figures.attention import attention_heads, visible
from dltool.figures.saving import save_figure


def softmaxed(*shape):
    scores = np.exp(2 * np.random.default_rng(0).normal(size=shape))
    return scores / scores.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(("heads", "queries", "keys"), [(1, 1, 1), (4, 5, 9), (14, 3, 3), (2, 64, 64)])
def test_draws_any_size(tmp_path, heads, queries, keys):
    path = tmp_path / "plots" / "attention.png"
    figure = attention_heads(softmaxed(heads, queries, keys), ["q"] * queries, ["一个词"] * keys, "gpt · blocks.0")
    save_figure(figure, path)
    pixels = matplotlib.image.imread(path)[..., :3]
    assert pixels.std() > 0.01
    assert max(pixels.shape) < 4000


def test_a_panel_shows_its_weights(tmp_path):
    """A query that looks at one key alone has one dark cell; the other head's are where it looks."""
    weights = np.stack([np.eye(3), np.eye(3)[::-1]])
    save_figure(attention_heads(weights, list("abc"), list("abc")), tmp_path / "a.png")
    save_figure(attention_heads(weights[::-1], list("abc"), list("abc")), tmp_path / "b.png")
    a, b = (matplotlib.image.imread(tmp_path / name)[..., :3] for name in ("a.png", "b.png"))
    assert a.shape == b.shape
    assert np.abs(a - b).max() > 0.5


def test_tokens_that_could_not_be_seen():
    assert visible([" ", "\n", "", "a\tb", "Donaudampfschiff", "$x"]) == ["␣", "↵", "∅", "a⇥b", "Donaudampfs…", "$x"]
