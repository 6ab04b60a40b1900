"""Measures a run's model on a split of its own data, or of other data that is prepared as its own was."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from dltool.batch import Batch
from dltool.build import build_data, build_task, with_targets
from dltool.config.check import Config
from dltool.data.dataset import Dataset
from dltool.data.preprocessing import Fitted
from dltool.engine.evaluator import evaluate
from dltool.errors import ConfigError, RunError
from dltool.inference.predictions import Predictions
from dltool.inference.views import View, averaged_over
from dltool.introspection.mistakes import Mistakes
from dltool.observers.network_plots import watch_mistakes
from dltool.randomness import derive_seed, seed_default_generators
from dltool.spec import DataSpec
from dltool.tasks.task import Prediction, Task

if TYPE_CHECKING:
    from dltool.inference.run import Run


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        split: "train", "val", "test" or "all".
        num_samples: In it.
        metrics: Name to value, without the split.
        undefined: Name to reason of the metrics without a value, which are NaN.
        notes: What a person should know of the data.
        task: As it is after the evaluation; its metrics can be drawn.
        mistakes: What pictures of a classifier of images need; None of other models.
        predictions: What the model said of each sample, if asked for.
        targets: What was true of each, by name or number, if asked for.
    """

    split: str
    num_samples: int
    metrics: dict[str, float]
    undefined: dict[str, str]
    notes: list[str]
    task: Task
    mistakes: Mistakes | None = None
    predictions: Predictions | None = None
    targets: list[Any] | None = None

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """Headings and rows of the predictions, the targets after the inputs."""
        assert self.predictions is not None
        assert self.targets is not None
        headings, rows = self.predictions.table()
        return [headings[0], "target", *headings[1:]], [
            [row[0], target, *row[1:]] for row, target in zip(rows, self.targets, strict=True)
        ]


def evaluate_run(run: "Run", config: Config, *, split: str, views: Sequence[View], predictions: bool) -> Evaluation:
    """See Run.evaluate."""
    spec = run.spec
    other = config.tree["data"] != run.config["data"]
    fitted = Fitted(run.preprocessing, run.spec)
    dataset = build_data(config, run.device, fitted=fitted, cut=not other or split not in ("auto", "all"))
    split = chosen_split(split, dataset)
    config = with_targets(config, spec)
    task = build_task(config, run.model, spec)
    task.load_state_dict(run.task.state_dict())
    task = averaged_over(task, views, spec)
    mistakes = watch_mistakes(task, spec)
    batches = [dataset.evaluation(name) for name in members(split, dataset)]
    seen: list[tuple[Prediction, Batch]] = []
    seed_default_generators(derive_seed(config["seed"], "evaluation", split), run.device)
    metrics = evaluate(
        task,
        watched(itertools.chain(*batches), task, seen) if predictions else itertools.chain(*batches),
        autocast=run.autocast,
    )
    count = sum(dataset.sizes[name] for name in members(split, dataset))
    measured = Evaluation(split, count, metrics, dict(task.undefined), dataset.notes, task, mistakes)
    if not predictions:
        return measured
    names = [name for member in members(split, dataset) for name in dataset.sample_names(member)]
    return with_predictions(measured, names, seen, spec)


def chosen_split(split: str, dataset: Dataset) -> str:
    """The split that is measured.

    Raises:
        ConfigError: There is none such.
    """
    if split == "auto":
        split = "test" if "test" in dataset.sizes else "all"
    if split != "all" and split not in dataset.sizes:
        there = [*dataset.sizes, "all"]
        raise ConfigError(f"the data has no {split} split, only {', '.join(there)}", f"--split {there[-2]}")
    return split


def members(split: str, dataset: Dataset) -> list[str]:
    """The splits that make up `split`; where all are the same samples, one of them."""
    if split != "all":
        return [split]
    return list(dataset.sizes) if dataset.held_out else ["train"]


def watched(batches: Iterator[Batch], task: Task, seen: list[tuple[Prediction, Batch]]) -> Iterator[Batch]:
    """The batches, what the model says of each kept on the host."""
    for batch in batches:
        said = task.predict(batch.inputs)
        on_host = Prediction(*(None if field is None else field.cpu() for field in said))  # type: ignore[arg-type]
        seen.append((on_host, Batch(torch.empty(0), batch.targets.cpu(), batch.size)))
        yield batch


def with_predictions(
    measured: Evaluation, names: list[str], seen: list[tuple[Prediction, Batch]], spec: DataSpec
) -> Evaluation:
    targets = torch.cat([batch.targets for _, batch in seen])
    if len(targets) != len(names):
        raise RunError(
            f"{len(names) - len(targets)} images could not be decoded, so that predictions have no names",
            "data.corrupt=refuse names them, data.residency=host leaves them out before",
        )
    said = Predictions.of(names, [prediction for prediction, _ in seen], spec.class_names)
    truth: list[Any] = targets.tolist()
    if spec.target == "numbers":
        truth = spec.in_units(targets).tolist()
        truth = [row[0] for row in truth] if targets.shape[1] == 1 else truth
    else:
        truth = [spec.class_names[label] for label in truth]
    return Evaluation(**{**vars(measured), "predictions": said, "targets": truth})
