from itertools import islice

import pytest
import torch

from dltool.core.errors import ConfigError, RunError
from dltool.core.spec import DataSpec
from dltool.decoding.sampling import Sampling, sample
from dltool.models.gpt import Gpt

V, T = 7, 6
SCORES = torch.tensor([[0.4, 0.05, 0.3, 0.05, 0.2]]).log()


class Chain:
    """A Markov chain: what follows depends on the last token alone; its state counts what it was given."""

    max_length = None

    def __init__(self, table):
        self.table = table

    def advance(self, tokens, state=None):
        return self.table[tokens], (state or 0) + tokens.shape[1]


def gpt(**options):
    torch.manual_seed(0)
    spec = DataSpec((T,), "next_token", output_dim=V, num_tokens=V, num_target_tokens=V)
    model = Gpt(spec, dim=12, num_heads=3, depth=2, **options).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def text(model, prompt, num_tokens, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return torch.stack(list(sample(model, prompt, num_tokens, generator=generator, **options)), dim=1)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), [0.4, 0.05, 0.3, 0.05, 0.2]),
        (Sampling(top_k=2), [4 / 7, 0, 3 / 7, 0, 0]),
        (Sampling(top_k=9), [0.4, 0.05, 0.3, 0.05, 0.2]),
        (Sampling(top_p=0.65), [4 / 7, 0, 3 / 7, 0, 0]),
        (Sampling(top_p=0.75), [4 / 9, 0, 3 / 9, 0, 2 / 9]),
        (Sampling(top_p=1e-6), [1, 0, 0, 0, 0]),
        (Sampling(top_k=3, top_p=0.7), [4 / 7, 0, 3 / 7, 0, 0]),  # 4/9 and 3/9 of what top-k left are 0.78.
        (Sampling(temperature=0.5), [16 / 29.5, 0.25 / 29.5, 9 / 29.5, 0.25 / 29.5, 4 / 29.5]),
        (Sampling(temperature=1e-4), [1, 0, 0, 0, 0]),
        (Sampling(temperature=0), [1, 0, 0, 0, 0]),
        (Sampling(forbidden=(0,)), [0, 1 / 12, 0.5, 1 / 12, 1 / 3]),
        (Sampling(temperature=0, forbidden=(0, 4)), [0, 0, 1, 0, 0]),
    ],
    ids=str,
)
def test_probabilities(sampling, expected):
    scores = (SCORES + 3).repeat(2, 1)
    torch.testing.assert_close(sampling.probabilities(scores), torch.tensor([expected, expected]).float())
    torch.testing.assert_close(scores, (SCORES + 3).repeat(2, 1))  # The model's own are left alone.


def test_tokens_come_as_often_as_they_are_likely():
    drawn = Sampling(top_k=3).draw(SCORES.expand(20_000, -1), torch.Generator().manual_seed(0))
    shares = drawn.bincount(minlength=5) / 20_000
    torch.testing.assert_close(shares, torch.tensor([4 / 9, 0, 3 / 9, 0, 2 / 9]), atol=0.015, rtol=0)
    assert shares[1] == shares[3] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"top_p": 1.5}, "top_p=1.5"),
    ],
)
def test_out_of_range(options, message):
    with pytest.raises(ConfigError, match=message):
        Sampling(**options)


def test_scores_that_are_no_numbers():
    with pytest.raises(RunError, match="scores are NaN or infinite"):
        Sampling().draw(torch.tensor([[0.0, torch.nan]]))


def test_an_empty_prompt():
    with pytest.raises(ConfigError, match="the prompt is empty"):
        next(sample(gpt(), torch.zeros(1, 0, dtype=torch.int64)))


def without_cache(model, prompt, num_tokens, seed):
    """As a first program would: read the last max_length tokens anew for every token."""
    generator, tokens = torch.Generator().manual_seed(seed), prompt
    for _ in range(num_tokens):
        scores = model(tokens[:, -T:])[:, -1]
        tokens = torch.cat((tokens, torch.multinomial(scores.softmax(1), 1, generator=generator)), dim=1)
    return tokens[:, prompt.shape[1] :]


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("length", [1, 3, T, T + 4])
def test_with_a_cache_and_a_sliding_window_as_without(positions, length):
    model, prompt = gpt(positions=positions), torch.randint(V, (2, length))
    with torch.no_grad():
        assert text(model, prompt, 12, seed=5).tolist() == without_cache(model, prompt, 12, seed=5).tolist()


def test_each_token_is_read_once_while_the_window_stands(monkeypatch):
    model, lengths = gpt(), []
    advance = model.advance
    monkeypatch.setattr(
        model, "advance", lambda tokens, state=None: lengths.append(tokens.shape[1]) or advance(tokens, state)
    )
    text(model, torch.randint(V, (1, 3)), 6)
    assert lengths == [3, 1, 1, 1, T, T]


def test_a_seed_is_a_text():
    model, prompt = gpt(), torch.randint(V, (2, 3))
    assert text(model, prompt, 20, seed=1).tolist() == text(model, prompt, 20, seed=1).tolist()
    assert text(model, prompt, 20, seed=1).tolist() != text(model, prompt, 20, seed=2).tolist()


def test_greedy_needs_no_seed():
    model, prompt = gpt(), torch.randint(V, (1, 3))
    greedy = Sampling(temperature=0)
    assert text(model, prompt, 9, 1, sampling=greedy).tolist() == text(model, prompt, 9, 2, sampling=greedy).tolist()


def test_stops_when_every_row_has_ended():
    """0 is followed by 1, 1 by 2, 2 by 3, 3 by itself; 3 ends."""
    chain = Chain(torch.eye(4).roll(1, dims=1).log().clamp(min=-50).index_copy(0, torch.tensor([3]), torch.zeros(1, 4)))
    tokens = text(chain, torch.tensor([[0], [2]]), None, sampling=Sampling(temperature=0), stop=3)
    assert tokens.tolist() == [[1, 2, 3], [3, 3, 3]]


def test_tokens_stream():
    endless = sample(Chain(torch.zeros(4, 4)), torch.tensor([[0]]))
    assert [tokens.shape for tokens in islice(endless, 5)] == [(1,)] * 5
    assert not next(sample(gpt(), torch.tensor([[0]]))).requires_grad
