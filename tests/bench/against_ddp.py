"""Times a step of two processes on the CPU beside torch's DistributedDataParallel: `python tests/bench/against_ddp.py`.

Both candidates have the same model, optimizer, loss and halves of the same batches, and take turns at every step in one
pair of processes. Both overlap the exchange with the backward pass. `dltool_exchange_ms` is the rest of it after that;
that of DDP is the difference to `ddp_alone_ms`, the same step without it. A ratio is that of the medians of a round;
printed is the median ratio of the rounds. On a loaded machine only the ratio means something.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).parents[1]))

from together import together

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config, check
from dltool.config.compose import compose
from dltool.core.batch import Batch
from dltool.distributed.team import Team
from dltool.training.processes import with_devices

CASES = {
    "lenet, batch 512": ["model=lenet", "data.batch_size=512"],
    "gpt 4x128": ["model=gpt", "data=pydoc", "data.length=64", "data.batch_size=8"],
}
ROUNDS, STEPS = 5, 30
Step = Callable[[Batch], None]


def measured(team: Team, config: Config) -> dict[str, list[float]]:
    """The median milliseconds of a step in each round, of each candidate."""
    config = with_devices(config, team.size)
    parts = prepare(config, team=team)
    trainer = build_trainer(parts, None)
    updater = trainer.updaters["model"]
    batches = [trainer.source.draw() for _ in range(STEPS)]
    other = build_trainer(prepare(config, team=team), None)
    ddp = DistributedDataParallel(other.task.model)
    other.task.model = ddp
    optimizer = other.updaters["model"].optimizer

    def own_step(batch: Batch) -> None:
        updater.pieces.begin_step(0)
        updater.minimize(trainer.task.loss, batch)

    def ddp_step(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        other.task.loss(updater.pieces.own(batch)[0]).mean.backward()
        optimizer.step()

    def ddp_alone(batch: Batch) -> None:
        with ddp.no_sync():
            ddp_step(batch)

    assert updater.exchanged is not None
    updater.exchanged.finish = timed(updater.exchanged.finish, exchange := [])  # type: ignore[method-assign]
    candidates: dict[str, Step] = {"dltool": own_step, "ddp": ddp_step, "ddp_alone": ddp_alone}
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(ROUNDS + 1):
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for batch in batches:
            for name, step in candidates.items():
                team.gather(None)  # Both processes begin together.
                start = time.perf_counter()
                step(batch)
                times[name].append(1000 * (time.perf_counter() - start))
        if number:  # The first round warms up.
            for name in candidates:
                found[name].append(statistics.median(times[name]))
            found.setdefault("dltool_exchange", []).append(statistics.median(exchange))
        exchange.clear()
    return found


def timed(function: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    """The function, whose milliseconds are added to a list."""

    def call(*arguments: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments)
        times.append(1000 * (time.perf_counter() - start))
        return result

    return call


def main() -> None:
    torch.set_num_threads(1)
    for name, words in CASES.items():
        config = check(compose([*words, "trainer.device=cpu", "trainer.threads=1", "logger.report=false"]))
        first, _ = together(2, measured, config)
        ratios = [own / ddp for own, ddp in zip(first["dltool"], first["ddp"], strict=True)]
        print(
            json.dumps(
                {
                    "case": name,
                    **{f"{name}_ms": round(statistics.median(times), 2) for name, times in first.items()},
                    "ratio": round(statistics.median(ratios), 3),
                    "ratios": [round(ratio, 3) for ratio in ratios],
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
