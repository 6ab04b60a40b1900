"""`dltool check`: builds everything and runs one batch, in memory."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from dltool.build.parts import describe
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.numerals import counted
from dltool.introspection.summary import count_parameters
from dltool.observers.tracker import check_trackers
from dltool.runs.folder import RunFolder


def check_one_batch(config: Config) -> int:
    """Build everything, take one step and evaluate one batch of each split in memory; prints the results."""
    started = time.monotonic()
    check_trackers(config["logger"])
    parts = prepare(config, approximate=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(parts, RunFolder(Path(folder)))
        trainer.task.model.train()
        trainer.train_step()
        trainer.raise_if_bad()
        loss = trainer.progress.sums.compute()
        for updater in trainer.updaters.values():
            updater.optimizer.zero_grad()  # As the next step would: gradients take as much memory as the weights.
        metrics = {"val": trainer.evaluate("val", num_batches=1)}
        with trainer.tta_context():
            metrics["test"] = trainer.evaluate("test", num_batches=1)
    parameters = count_parameters(parts.task.model)
    print(f"model      {config['model']['name']}, {parameters}, output {parts.spec.output_dim}")
    for note in describe(parts):
        print(note)
    print(f"samples    {', '.join(f'{n:,} {split}' for split, n in parts.dataset.sizes.items())}")
    print(f"length     {counted(trainer.progress.total_steps, 'step')}, {trainer.steps_per_epoch:,} an epoch")
    print(f"one step   {listed(loss)}")
    for split, values in metrics.items():
        if values:
            print(f"evaluated  one batch of {split}: {listed(values)}")
    print(f"all is well ({time.monotonic() - started:.1f} s)")
    return 0


def listed(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
