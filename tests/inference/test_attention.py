"""Pictures of where a run's network looks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltool.core.errors import ConfigError, DataError
from dltool.inference import attention
from dltool.inference.run import Run

Load = Callable[..., Run]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is drawn, in place of the pictures."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(attention, "attention_heads", lambda *words: calls.append(words))
    monkeypatch.setattr(attention, "save_figure", lambda *_words: None)
    return calls


def test_what_was_written_looks_at_what_was_read(load: Load, drawn: list[Any], tmp_path: Path) -> None:
    run = load("reversal")
    assert run.draw_attention("123", tmp_path / "a.png") == [tmp_path / "a.png"]
    ((weights, queries, keys, title),) = drawn
    assert keys == ["1", "2", "3"]
    written = run.predict(["123"]).values[0]
    assert "".join(queries[: len(written)]) == written
    assert weights.shape == (1, len(queries), 3)
    assert np.allclose(weights.sum(axis=2), 1, atol=1e-5)
    assert title == "lstm on reversal: attention"


def test_a_gpt_looks_back_at_its_prompt(load: Load, drawn: list[Any], tmp_path: Path) -> None:
    load("gpt").draw_attention("gold", tmp_path / "a.png")
    ((weights, queries, keys, _),) = drawn
    assert queries == keys == list("gold")
    assert weights.shape == (2, 4, 4)
    assert not np.triu(weights[0], 1).any()


def test_what_cannot_be_drawn_is_said(load: Load, tmp_path: Path) -> None:
    for name, message in (("tags", "has no attention"), ("lenet", "reads no texts")):
        with pytest.raises(ConfigError, match=message):
            load(name).draw_attention("Dogs", tmp_path / "a.png")
    with pytest.raises(ConfigError, match="is not an image file"):
        load("gpt").draw_attention("gold", tmp_path / "a.txt")
    with pytest.raises(DataError, match="text 1 has 30 tokens, but the model takes at most 16"):
        load("gpt").draw_attention("g" * 30, tmp_path / "a.png")
