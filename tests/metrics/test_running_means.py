"""When the steps' parts are added up changes nothing, and nothing is forgotten."""

import functools
import math
import operator
import threading

import pytest
import torch

from dltool.metrics.accuracy import Hits, accuracy
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.running_means import MAX_WAITING, RunningMeans
from dltool.metrics.total import Total


def parts(step: int) -> dict[str, Mean]:
    """What a step of uneven batches logs, of every kind."""
    drawn = torch.Generator().manual_seed(step)
    count = 1 + step % 7
    outputs, targets = torch.randn(count, 3, generator=drawn), torch.randint(3, (count,), generator=drawn)
    logged = {
        "loss": MeanOver(torch.rand((), generator=drawn) * 10 ** (step % 9), count),
        "weighted": Mean(torch.rand((), generator=drawn), torch.rand((), generator=drawn)),
        "accuracy": accuracy(outputs, targets),
        "mistakes": Total(torch.tensor(step)),
        "plain": Mean(0.1 * step, count),
    }
    return logged if step % 4 else {"loss": logged["loss"]}  # Not every step logs everything.


def means_of(steps: range) -> RunningMeans:
    means = RunningMeans()
    for step in steps:
        means.update(parts(step))
    return means


def test_they_are_what_adding_each_part_gives() -> None:
    steps = range(MAX_WAITING + 50)
    expected: dict[str, Mean] = {}
    for step in steps:
        for name, part in parts(step).items():
            expected[name] = expected[name] + part if name in expected else part
    values = means_of(steps).compute()
    assert values == pytest.approx({name: mean.value() for name, mean in expected.items()}, rel=1e-5)
    assert values["mistakes"] == sum(step for step in steps if step % 4)


def test_a_small_last_batch_is_added_to_the_large_ones() -> None:
    """Its outputs wait, those of the others are counted at once."""
    means, right = RunningMeans(), 0
    for size in (2000, 2000, 10, 2000, 7, 8):
        outputs, targets = torch.randn(size, 3), torch.randint(3, (size,))
        right += int((outputs.argmax(1) == targets).sum())
        means.update({"accuracy": accuracy(outputs, targets)})
    assert means.compute() == {"accuracy": right / 6025}


def test_when_they_are_read_changes_no_bit() -> None:
    steps = range(2 * MAX_WAITING + 30)
    once = means_of(steps).compute()
    often = RunningMeans()
    for step in steps:
        often.update(parts(step))
        if step % 3 == 0:
            often.compute()
        if step % 5 == 0:
            often.state_dict()
        if step % 11 == 0:
            often.window()
    assert often.compute() == once


@pytest.mark.parametrize("stop", [1, 49, 50, 51, MAX_WAITING])
def test_a_saved_state_goes_on_to_the_same_bits(stop: int) -> None:
    whole, first, second = RunningMeans(), RunningMeans(), RunningMeans()
    whole_windows, windows = [], []
    for step in range(400):
        whole.update(parts(step))
        if step == stop:
            second.load_state_dict(first.state_dict())
        resumed = first if step < stop else second
        resumed.update(parts(step))
        if (step + 1) % 50 == 0:
            whole_windows.append(whole.window())
            windows.append(resumed.window())
    assert windows == whole_windows
    assert second.state_dict() == whole.state_dict()


def test_a_window_is_what_came_since_the_last_one() -> None:
    means = RunningMeans()
    means.update({"loss": MeanOver(torch.tensor(4.0), 2), "mistakes": Total(3)})
    assert means.window() == {"loss": 4.0, "mistakes": 3.0}
    means.update({"loss": MeanOver(torch.tensor(1.0), 2), "mistakes": Total(2)})
    assert means.window() == {"loss": 1.0, "mistakes": 2.0}
    assert means.compute() == {"loss": 2.5, "mistakes": 5.0}
    assert math.isnan(means.window()["loss"])
    means.reset()
    assert means.compute() == means.window() == {}


def test_what_waits_is_bounded() -> None:
    means = means_of(range(10 * MAX_WAITING + 3))
    assert len(means._state[1]) == 3


def test_another_thread_never_sees_a_part_twice_or_not_at_all() -> None:
    means, stop, seen = RunningMeans(), threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            seen.append(means.compute().get("steps", 0.0))

    looking = threading.Thread(target=look)
    looking.start()
    for step in range(20 * MAX_WAITING):
        means.update({"steps": Total(1)})
        if step % 100 == 0:
            means.fold()
    stop.set()
    looking.join()
    assert seen == sorted(seen)
    assert means.compute() == {"steps": 20 * MAX_WAITING}


def test_large_outputs_are_counted_at_once() -> None:
    """Or a classifier of many classes would keep the outputs of hundreds of steps alive."""
    small, large = (accuracy(torch.randn(n, 10), torch.randint(10, (n,))) for n in (32, 4096))
    assert isinstance(small, Hits)
    assert type(large) is Mean
    assert accuracy(torch.randn(4, 3, requires_grad=True), torch.zeros(4))[0].grad_fn is None  # type: ignore[union-attr]


def test_a_last_batch_that_is_small_among_large_ones() -> None:
    outputs, targets = torch.randn(1100, 10), torch.randint(10, (1100,))
    means = RunningMeans()
    for start, stop in ((0, 500), (500, 1000), (1000, 1100)):
        means.update({"accuracy": accuracy(outputs[start:stop], targets[start:stop])})
    assert means.compute() == {"accuracy": int((outputs.argmax(1) == targets).sum()) / 1100}


def test_micro_batches_may_be_added_up_in_any_grouping() -> None:
    parts = [Mean(torch.tensor(0.1 * 3**number), number) for number in range(9)]
    in_turn = functools.reduce(operator.add, parts)
    grouped = (parts[0] + parts[1] + parts[2] + parts[3]) + (parts[4] + parts[5] + parts[6] + parts[7] + parts[8])
    assert float(in_turn.total) == pytest.approx(float(grouped.total), rel=1e-15)
    assert float(in_turn.total) == pytest.approx(sum(float(part.total) for part in parts), rel=1e-15)
