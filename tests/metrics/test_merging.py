"""However a split is divided, and in whatever order the parts are merged, each metric has the value of the whole."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from dltool.build.metrics import fits
from dltool.core.spec import BEGIN, END, PAD, SPECIAL_TOKENS, DataSpec
from dltool.declarations.construct import build_component
from dltool.declarations.registry import own_registrations
from dltool.declarations.source import component
from dltool.engine.packing import pack, unpack
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.metric import Metric
from dltool.metrics.nearest import Nearest
from dltool.metrics.of_samples import registered_metrics
from dltool.metrics.running_means import RunningMeans
from dltool.metrics.sample_metric import Images, SampleContext
from dltool.metrics.total import Total
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import TokenizerSettings

WORDS = fit_tokenizer(TokenizerSettings(kind="word"), ["a b c d e f g h"], SPECIAL_TOKENS)
SPECS = [
    DataSpec((1,), "classes", tuple("abcdefgh"), output_dim=8),
    DataSpec((1,), "tags", tuple("abcdefgh"), output_dim=8),
    DataSpec((1,), "binary", ("no", "yes"), output_dim=2),
    DataSpec((1,), "binary", ("no", "yes"), output_dim=1),
    DataSpec((1,), "labels", tuple("abcde"), output_dim=5),
    DataSpec((1,), "numbers", target_dim=3, output_dim=3),
    DataSpec((1,), "sequence", num_target_tokens=len(WORDS), target_tokenizer=WORDS.to_json()),
]
SUMS = {"calibration_error", "mae", "mse", "rmse", "r2"}  # Of rounded numbers; all else is exact.
FITTING = [(name, spec) for name in own_registrations()["metric"] for spec in SPECS if fits(name, spec)]
NUM_SAMPLES, NUM_HELD_OUT, NUM_CLASSES = 60, 70, 5


def drawn(spec: DataSpec, draw: torch.Generator, count: int = 200) -> tuple[Tensor, Tensor]:
    """Outputs that know something of the targets; some scores are equal."""
    if spec.target == "sequence":
        tokens = torch.randint(len(SPECIAL_TOKENS), spec.num_target_tokens, (count, 9), generator=draw)
        lengths = torch.randint(2, 9, (count, 1), generator=draw)
        tokens = tokens.masked_fill(torch.arange(9) > lengths, PAD).scatter(1, lengths, END)
        wrong = torch.randint(BEGIN, spec.num_target_tokens, (count, 9), generator=draw)
        return torch.where(torch.rand(count, 9, generator=draw) < 0.1, wrong, tokens), tokens
    if spec.target == "numbers":
        targets = 1000 + torch.randn(count, spec.target_dim, generator=draw)
        return targets + 0.5 * torch.randn(count, spec.target_dim, generator=draw), targets
    if spec.target == "labels":
        targets = (torch.rand(count, spec.num_classes, generator=draw) < 0.3).long()
        return (targets - 0.5 + torch.randn(targets.shape, generator=draw)).round(decimals=1), targets
    targets = torch.randint(spec.num_classes, (count,), generator=draw)
    signal = torch.nn.functional.one_hot(targets, spec.num_classes)[:, -spec.output_dim :]
    return (1.5 * signal + torch.randn(count, spec.output_dim, generator=draw)).round(decimals=1), targets


def divided(count: int, num_parts: int, draw: torch.Generator) -> list[Tensor]:
    """The rows 0 … count - 1 at random in uneven parts, of which one may be empty."""
    shares = torch.rand(num_parts, generator=draw) ** 2
    if num_parts > 1 and torch.rand((), generator=draw) < 0.5:
        shares[0] = 0
    owner = torch.multinomial(shares, count, replacement=True, generator=draw)
    order = torch.randperm(count, generator=draw)
    return [order[owner[order] == part] for part in range(num_parts)]


def merged(parts: list[Metric], new: Callable[[], Metric], draw: torch.Generator) -> Metric:
    """All parts, in random order, as objects or as states that were sent."""
    whole = new()
    for i in torch.randperm(len(parts), generator=draw).tolist():
        sent = unpack(*reversed(pack(dict(parts[i].state()))))
        whole.merge(sent if torch.rand((), generator=draw) < 0.5 else parts[i])
    return whole


def same(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, tuple):
        return len(found) == len(expected) and all(map(same, found, expected, [tolerance] * len(found)))
    return found == expected if tolerance == 0 else math.isclose(found, expected, rel_tol=tolerance)


@pytest.mark.parametrize(
    ("name", "spec"), FITTING, ids=lambda v: v if isinstance(v, str) else f"{v.target}{v.output_dim}"
)
def test_metrics_of_outputs(name: str, spec: DataSpec) -> None:
    if name == "bleu":
        pytest.importorskip("sacrebleu")

    def new() -> Metric:
        metric: Metric = build_component(component("metric", name), {}, spec)
        return metric

    for seed in range(12):
        draw = torch.Generator().manual_seed(seed)
        outputs, targets = drawn(spec, draw)
        whole, parts = new(), []
        whole.update(outputs, targets)
        for rows in divided(len(targets), 1 + seed % 5, draw):
            parts.append(new())
            for some in rows.split(int(torch.randint(1, 90, (), generator=draw))):
                parts[-1].update(outputs[some], targets[some])
        before = [part.state() for part in parts]
        found = merged(parts, new, draw)
        if whole.is_number:
            assert same(found.compute(), whole.compute(), 1e-12 if name in SUMS else 0), (seed, found, whole)
        else:
            assert all(torch.equal(found.state()[key], value) for key, value in whole.state().items())
        for part, state in zip(parts, before, strict=True):  # A merged part is left as it was.
            assert pack(dict(part.state()))[1] == pack(dict(state))[1]
            assert all(torch.equal(part.state()[k], v) for k, v in state.items() if isinstance(v, Tensor))


def images(count: int, draw: torch.Generator) -> Images:
    return Images(
        torch.randn(count, 12, generator=draw),
        torch.randint(NUM_CLASSES, (count,), generator=draw),
        torch.randint(NUM_CLASSES, (count,), generator=draw),
        torch.randint(256, (count, 1, 5, 5), generator=draw, dtype=torch.uint8),
        torch.arange(count),
    )


def some_of(whole: Images, rows: Tensor) -> Images:
    """Rows that keep their places."""
    return Images(*(values[rows] for values in whole))


@pytest.mark.parametrize("own_network", [True, False])
@pytest.mark.parametrize("name", registered_metrics())
def test_metrics_of_samples(name: str, own_network: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nearest, "max_rows", 25)
    training = images(100, torch.Generator().manual_seed(99)).pixels
    context = SampleContext(NUM_CLASSES, own_network, lambda: training)

    def new() -> Metric:
        metric: Metric = build_component(component("metric", name), {}, context)
        return metric

    for seed in range(8):
        draw = torch.Generator().manual_seed(seed)
        samples, held_out = images(NUM_SAMPLES, draw), images(NUM_HELD_OUT, draw)
        whole = new()
        whole.update(samples, held_out)
        divisions = [divided(count, 1 + seed % 5, draw) for count in (NUM_SAMPLES, NUM_HELD_OUT)]
        parts = []
        for ours, theirs in zip(*divisions, strict=True):
            parts.append(new())
            parts[-1].update(some_of(samples, ours), some_of(held_out, theirs))
        assert same(merged(parts, new, draw).compute(), whole.compute(), 0), seed  # The Fréchet distance too.


def test_the_order_of_samples_matters_to_some_measures() -> None:
    """Without places, a kernel distance would compare other subsets."""
    draw = torch.Generator().manual_seed(0)
    samples, held_out = images(NUM_SAMPLES, draw), images(NUM_HELD_OUT, draw)
    values = []
    for places in (samples.places, samples.places.flip(0)):
        metric = build_component(component("metric", "kid"), {}, SampleContext(0, True, lambda: samples.pixels))
        metric.update(samples._replace(places=places), held_out)
        values.append(metric.compute())
    assert values[0] != values[1]


def test_means_and_totals() -> None:
    for seed in range(10):
        draw = torch.Generator().manual_seed(seed)
        steps = [
            {
                "loss": MeanOver(torch.rand((), generator=draw) * 100, 1 + step % 7),
                "weighted": Mean(torch.rand((), generator=draw), torch.rand((), generator=draw)),
                "mistakes": Total(torch.tensor(step)),
            }
            for step in range(300)
        ]
        whole, merging = RunningMeans(), RunningMeans()
        for parts in steps:
            whole.update(parts)
        for rows in divided(len(steps), 1 + seed % 5, draw):
            part = RunningMeans()
            for row in rows.tolist():
                part.update(steps[row])
            merging.merge(unpack(*reversed(pack(part.state()))) if seed % 2 else part)
        assert merging.compute() == pytest.approx(whole.compute(), rel=1e-12)
        assert merging.compute()["mistakes"] == whole.compute()["mistakes"]


def test_every_metric_declares_what_it_needs_and_its_direction() -> None:
    for name in own_registrations()["metric"]:
        traits = component("metric", name).traits
        assert traits.of in ("outputs", "samples"), name
        assert (traits.needs is not None) == (traits.of == "samples"), name
        assert bool(traits.targets) == (traits.of == "outputs"), name
        assert traits.direction is not None or name == "confusion", name
