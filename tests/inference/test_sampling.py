"""What language models of runs write."""

from collections.abc import Callable

import pytest
import torch

from dltool.core.errors import ConfigError, DataError
from dltool.inference.run import Run
from dltool.inference.sampling import TextSampler, Written
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import STREAM_SPECIALS, TokenizerSettings

Load = Callable[..., Run]


@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_a_stream_goes_on_from_its_prompt_and_follows_from_its_seed(name: str, load: Load) -> None:
    run = load(name)
    sampler = TextSampler(run, seed=3)
    text = "".join(sampler.stream("gold", length=30))
    assert text.startswith("gold")
    assert len(text) > len("gold")
    assert run.sample("gold", length=30, seed=3) == [text]
    assert run.sample("gold", length=30, seed=4) != [text]
    assert run.sample("gold", count=2, length=30, seed=3)[0] == text  # Each follows from the seed and its number.
    assert len(set(run.sample("gold", count=2, length=30, seed=3))) == 2
    tokens = sampler.tokenizer.encode(text)
    assert len(tokens) == len(sampler.tokenizer.encode("gold")) + 30
    assert sampler.tokenizer.decode(tokens) == text


def test_what_a_stream_writes_is_what_its_model_thinks_likeliest(load: Load) -> None:
    run = load("gpt")
    (text,) = run.sample("All", length=20, temperature=0)
    tokens = torch.tensor([TextSampler(run).tokenizer.encode(text)])
    scores = run.model(tokens[:, -16:-1])  # The window that the last token was drawn from.
    scores[:, :, TextSampler(run).tokenizer.unknown] = -torch.inf
    assert int(scores[0, -1].argmax()) == int(tokens[0, -1])


def test_without_a_prompt_there_is_a_beginning(load: Load) -> None:
    assert len(run_text := load("gpt").sample(length=10)[0]) == 11  # The text has no lines: a token is drawn.
    assert load("gpt").sample(length=10, seed=1)[0] != run_text


def test_names_end_by_themselves(load: Load) -> None:
    run = load("names")
    names = run.sample(count=40)
    assert len(names) == 40
    assert len(set(names)) > 5
    assert all(len(name) <= run.spec.input_shape[0] for name in names)
    assert len({len(name) for name in names}) > 1
    assert not any("<" in name or "\N{REPLACEMENT CHARACTER}" in name for name in names)
    assert names == run.sample(count=40)
    begun = run.sample("An", count=5)
    assert all(name.startswith("An") for name in begun)
    assert "".join(TextSampler(run).stream("An")).startswith("An")


def test_a_prompt_that_the_training_never_saw_is_named(load: Load) -> None:
    with pytest.raises(DataError, match="not in the training data: 'é', '日'"):
        load("gpt").sample("gold é日")
    assert load("gpt").sample("é日gold", unknown="skip", length=3)[0].startswith("gold")
    with pytest.raises(ConfigError, match="the prompt has 30 tokens, and the training's longest text has 5"):
        load("names").sample("a" * 30)
    with pytest.raises(ConfigError, match="writes no text"):
        load("iris").sample("a")


@pytest.mark.parametrize("kind", ["char", "word"])
def test_the_pieces_of_a_text_are_the_text(kind: str) -> None:
    text = "To be, or not to be\n\nthat is the question : \n whether 'tis nobler\nin the mind to suffer\n" * 3
    tokenizer = fit_tokenizer(TokenizerSettings(kind=kind), [text], STREAM_SPECIALS)  # type: ignore[arg-type]
    tokens = tokenizer.encode(text)
    written = Written(tokenizer, tokens[:1])
    pieces = [tokenizer.decode(tokens[:1]), *(written.add(token) for token in tokens[1:])]
    assert "".join(pieces) == tokenizer.decode(tokens)


def test_characters_of_several_bytes_appear_whole() -> None:
    pytest.importorskip("tokenizers")
    text = "häuser über größe 日本語 " * 4
    tokenizer = fit_tokenizer(TokenizerSettings(kind="bpe", max_size=260), [text], STREAM_SPECIALS)
    written = Written(tokenizer, [])
    pieces = [written.add(token) for token in tokenizer.encode(text)]
    assert "".join(pieces) == text
    assert all(piece == "" or piece.isprintable() for piece in pieces)
