"""Evaluates a run's model on a split of its own data, or on other data with the same preprocessing."""

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import Tensor

from dltool.build.aside import train_aside
from dltool.build.components import build_task, with_targets
from dltool.build.sample_quality import attach_sample_evaluator
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError, RunError
from dltool.core.numerals import numeral
from dltool.core.randomness import derive_seed, seed_default_generators
from dltool.core.shell import quoted
from dltool.data.dataset import Dataset
from dltool.data.series_layout import ForecastExample
from dltool.engine.baselines import BaselineMetrics, measure_baselines
from dltool.engine.evaluator import evaluate
from dltool.inference.classifying import measure_kept_classes
from dltool.inference.evaluated_data import evaluated_data
from dltool.inference.loaded_run import LoadedRun
from dltool.inference.predicting import on_host
from dltool.introspection.codes import Codes, watch_codes
from dltool.introspection.forward_memory import sample_bytes
from dltool.introspection.mistakes import Mistakes, watch_mistakes
from dltool.report.metrics_table import metrics_table
from dltool.tasks.predictions import AnyPredictions, Prediction
from dltool.tasks.task import Task
from dltool.tasks.views import View, with_tta


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        split: "train", "val", "test" or "all".
        num_samples: Number of samples, or of tokens if the data is one long text.
        unit: What `num_samples` counts, "samples" or "tokens".
        metrics: Name to value, without the split.
        undefined: Name to reason of the metrics without a value, which are NaN.
        notes: Notes on the data for the user.
        own_data: Whether the data is the run's own, with the splits of the training.
        data_notes: Notes on whether it is, which the user must see.
        task: The task after the evaluation; its metrics have figures.
        mistakes: The input of the figures of an image classifier; None for other models.
        codes: The codes of the first samples, for an autoencoder; None for other models.
        predictions: The prediction for each sample, if requested.
        targets: The target of each sample, by name or number, if requested.
        baselines: The metrics of forecasts without a model, for a series.
        example: Samples to draw with their forecasts, for a series.
        baseline: The accuracy without a model, as text; empty for other targets than classes.
    """

    split: str
    num_samples: int
    unit: str
    metrics: dict[str, float]
    undefined: dict[str, str]
    notes: list[str]
    task: Task
    own_data: bool = True
    data_notes: Sequence[str] = ()
    mistakes: Mistakes | None = None
    codes: Codes | None = None
    predictions: AnyPredictions | None = None
    targets: list[Any] | None = None
    baselines: BaselineMetrics = field(default_factory=BaselineMetrics)
    example: ForecastExample | None = None
    baseline: str = ""

    def _repr_html_(self) -> str:
        """How a notebook shows it: what was evaluated, and each metric beside its value without a model."""
        rows = [
            {"name": name, "value": numeral(value), "beside": self.beside(name)} for name, value in self.metrics.items()
        ]
        remarks = [*self.data_notes, *([f"baseline: {self.baseline}"] if self.baseline else []), *self.task.remarks]
        said = "".join(f"<div>{html.escape(text)}</div>" for text in remarks)
        return f"<div>{html.escape(self.counted)}{metrics_table(rows)}{said}</div>"

    @property
    def counted(self) -> str:
        """What was evaluated: "60 samples (test)", "300 samples (all, new data)"."""
        new = "" if self.own_data else ", new data"
        return f"{self.num_samples:,} {self.unit} ({self.split}{new})"

    def beside(self, metric: str) -> str:
        """Why a metric is undefined, or the values of forecasts without a model."""
        if metric in self.undefined:
            return f"undefined: {self.undefined[metric]}"
        return self.baselines.beside(metric)

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """Headings and rows of the predictions, the targets after the inputs."""
        assert self.predictions is not None
        assert self.targets is not None
        return self.predictions.table(self.targets)


def evaluate_run(
    run: LoadedRun,
    config: Config,
    *,
    split: str,
    views: Sequence[View],
    predictions: bool,
    classifier: LoadedRun | None = None,
) -> Evaluation:
    """See Run.evaluate."""
    spec = run.spec
    dataset, own, data_notes = evaluated_data(run, config, split)
    dataset.fit_eval_batch(partial(sample_bytes, run.model, spec))
    split = chosen_split(split, dataset, own=own)
    config = with_targets(config, spec)
    task = build_task(config, run.model, spec)
    task.load_state_dict(run.task.state_dict())
    attach_sample_evaluator(task, config["data"], dataset, run.device, train_aside)
    if classifier is not None:
        measure_kept_classes(task, run, classifier)
    task = with_tta(task, views, spec)
    mistakes, codes = watch_mistakes(task, spec), watch_codes(task)
    if predictions and not task.predicts:
        raise ConfigError(f"{run.title} predicts nothing", "without --predictions")
    collector = PredictionCollector(task)
    if predictions:
        task.watchers.append(collector)
    batches = itertools.chain(*(dataset.evaluation(name) for name in members(split, dataset)))
    seed_default_generators(derive_seed(config["seed"], "evaluation", split), run.device)
    metrics = evaluate(task, batches, split, autocast=run.autocast) | task.details()
    count = sum(dataset.sizes[name] for name in members(split, dataset))
    undefined = dict(task.undefined)
    whole = members(split, dataset)
    measured = Evaluation(
        split, count, dataset.unit, metrics, undefined, dataset.notes, task, own, data_notes, mistakes, codes
    )
    example = dataset.forecast_example(whole[-1])
    measured = replace(measured, baselines=measure_baselines(task, dataset, whole), example=example)
    if "accuracy" in metrics:
        measured = replace(measured, baseline=dataset.baseline(whole))
    if not predictions:
        return measured
    names = [name for member in members(split, dataset) for name in dataset.sample_names(member)]
    return with_predictions(measured, names, collector, run)


def chosen_split(split: str, dataset: Dataset, *, own: bool) -> str:
    """The split to evaluate; for the run's own data without a test split, the validation split.

    Raises:
        ConfigError: The data has no such split.
    """
    if split == "auto":
        held_out = ("test", "val") if own else ("test",)
        split = next((name for name in held_out if name in dataset.sizes), "all")
    if split != "all" and split not in dataset.sizes:
        there = [*dataset.sizes, "all"]
        raise ConfigError(
            f"the data has no {split} split, only {', '.join(there)}", f"--split {quoted(there[-2] if own else 'all')}"
        )
    return split


def members(split: str, dataset: Dataset) -> list[str]:
    """The splits that make up `split`; one of them if all contain the same samples."""
    if split != "all":
        return [split]
    return list(dataset.sizes) if dataset.held_out else ["train"]


class PredictionCollector:
    """Collects the predictions and the targets of an evaluation on the host."""

    split = None

    def __init__(self, task: Task) -> None:
        self.task = task
        self.start()

    def start(self) -> None:
        self.predictions: list[Prediction] = []
        self.targets: list[Tensor] = []
        self.tokens: list[Tensor] = []

    def see(self, batch: Batch, outputs: Tensor) -> None:
        self.predictions.append(on_host(self.task.interpret(outputs)))  # This waits for an accelerator.
        self.targets.append(batch.targets.cpu())
        if not batch.inputs.is_floating_point():
            self.tokens.append(batch.inputs.cpu())


def with_predictions(measured: Evaluation, names: list[str], kept: PredictionCollector, run: LoadedRun) -> Evaluation:
    num_seen = sum(map(len, kept.targets))
    if num_seen != len(names):
        raise RunError(
            f"{len(names) - num_seen} images could not be decoded, so predictions cannot be matched with file names",
            "data.corrupt=refuse names them, data.residency=host removes them before the evaluation",
        )
    found = kept.task.collect(names, kept.predictions, run.spec, run.preprocessing, kept.tokens)
    return replace(measured, predictions=found, targets=found.truth(kept.targets, run.spec))
