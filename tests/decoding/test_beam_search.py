import math
from itertools import product

import pytest
import torch

from dltool.core.spec import BEGIN, END, PAD, DataSpec
from dltool.decoding.beam_search import beam_search, greedy_search, length_penalty
from dltool.models.transformer import Transformer

A, B = 4, 5
V = 6


class Tree:
    """A decoder whose words depend on all before them, by a table for each source: prefix -> {word: probability}."""

    def __init__(self, *tables):
        self.tables = tables

    def encode(self, source):
        return source[:, 0]

    def decode(self, tokens, memory, state=None):
        seen = tokens if state is None else torch.cat((state, tokens), dim=1)
        outputs = torch.full((len(seen), 1, V), -torch.inf)
        for row, prefix in enumerate(seen.tolist()):
            for word, probability in self.tables[memory[row]].get(tuple(prefix[1:]), {END: 1.0}).items():
                outputs[row, 0, word] = math.log(probability)
        return outputs, seen

    def select(self, state, rows):
        return state[rows]

    def select_memory(self, memory, rows):
        return memory[rows]


# A looks better at first, but B leads to the likeliest sentence: 0.4 · 0.9 against 0.6 · 0.5.
TRAP = {(): {A: 0.6, B: 0.4}, (A,): {A: 0.5, B: 0.5}, (B,): {A: 0.9, B: 0.1}}
# Ends at once with 0.5, or later with 0.45: a matter of the length penalty.
SHORT = {(): {END: 0.5, A: 0.5}, (A,): {A: 0.95, B: 0.05}, (A, A): {A: 0.95, B: 0.05}}
BOTH = torch.tensor([[0], [1]])


def test_beam_search_finds_what_greedy_misses():
    model = Tree(TRAP)
    greedy = greedy_search(model, BOTH[:1], 5)
    assert greedy.tokens.tolist() == [[A, A, END]]
    assert greedy.scores.item() == pytest.approx(math.log(0.3), abs=1e-5)
    beam = beam_search(model, BOTH[:1], 5, beam=2, alpha=0.0)
    assert beam.tokens.tolist() == [[B, A, END]]
    assert beam.scores.item() == pytest.approx(math.log(0.36), abs=1e-5)


def test_length_penalty_of_the_paper():
    assert length_penalty(1, 0.6).item() == 1.0
    assert length_penalty(7, 0.6).item() == pytest.approx(2**0.6)
    assert length_penalty(7, 0.0).item() == 1.0


def test_length_penalty_decides_between_short_and_long():
    model = Tree(TRAP, SHORT)
    short = beam_search(model, BOTH[1:], 6, beam=3, alpha=0.0)
    assert short.tokens.tolist() == [[END]]
    long = beam_search(model, BOTH[1:], 6, beam=3, alpha=1.0)
    assert long.tokens.tolist() == [[A, A, A, END]]
    assert long.scores.item() == pytest.approx(math.log(0.5 * 0.95 * 0.95) / (9 / 6), abs=1e-5)


@pytest.mark.parametrize("beam", [1, 2, 3])
def test_neighbours_in_the_batch_change_nothing(beam):
    model = Tree(TRAP, SHORT)
    together = beam_search(model, BOTH, 6, beam=beam)
    for row in range(2):
        alone = beam_search(model, BOTH[row : row + 1], 6, beam=beam)
        tokens = together.tokens[row]
        assert tokens[tokens != PAD].tolist() == alone.tokens[0].tolist()
        assert together.scores[row].item() == pytest.approx(alone.scores.item())


def test_what_has_not_ended_is_cut():
    for found in (greedy_search(Tree(TRAP), BOTH[:1], 2), beam_search(Tree(TRAP), BOTH[:1], 2, beam=2, alpha=0.0)):
        assert found.tokens.shape == (1, 2)
        assert END not in found.tokens
    assert found.tokens.tolist() == [[B, A]]
    assert found.scores.item() == pytest.approx(math.log(0.36), abs=1e-5)


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(3)
    spec = DataSpec((5,), "sequence", output_dim=V, num_tokens=9, num_target_tokens=V, max_target_length=9, padded=True)
    model = Transformer(spec, dim=12, num_heads=3, depth=2, hidden_dim=16).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model


SOURCES = torch.tensor([[4, 5, 6, 7, 8], [8, 4, 4, PAD, PAD], [7, PAD, PAD, PAD, PAD], [5, 5, 6, 6, PAD]])


def test_a_beam_of_one_is_greedy(transformer):
    greedy, beam = greedy_search(transformer, SOURCES, 8, alpha=0.6), beam_search(transformer, SOURCES, 8, beam=1)
    assert beam.tokens.tolist() == greedy.tokens.tolist()
    torch.testing.assert_close(beam.scores, greedy.scores)


def log_probability(model, source, words):
    """Of the words, with one pass over all of them; PAD and BEGIN are no words."""
    outputs = model(source[None], torch.tensor([[BEGIN, *words[:-1]]]))[0]
    outputs[:, [PAD, BEGIN]] = -torch.inf
    return outputs.log_softmax(1)[range(len(words)), words].sum().item()


@torch.no_grad()
def test_a_wide_beam_finds_the_best_of_all(transformer):
    """Of all sentences of at most three words and END, each scored by itself."""
    found = beam_search(transformer, SOURCES, 4, beam=64, alpha=0.6)
    for row, source in enumerate(SOURCES):
        sentences = [[*words, END] for n in range(4) for words in product([1, A, B], repeat=n)]
        scores = [log_probability(transformer, source, s) / length_penalty(len(s), 0.6).item() for s in sentences]
        best = max(range(len(scores)), key=scores.__getitem__)
        assert found.tokens[row][found.tokens[row] != PAD].tolist() == sentences[best]
        assert found.scores[row].item() == pytest.approx(scores[best], abs=1e-4)


def test_scores_are_those_of_the_tokens(transformer):
    found = beam_search(transformer, SOURCES, 8, beam=3, alpha=0.6)
    for row, source in enumerate(SOURCES):
        words = found.tokens[row][found.tokens[row] != PAD].tolist()
        with torch.no_grad():
            expected = log_probability(transformer, source, words) / length_penalty(len(words), 0.6).item()
        assert found.scores[row].item() == pytest.approx(expected, abs=1e-4)
