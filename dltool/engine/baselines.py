"""The metrics of forecasts without a model, for comparison with a model's."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from dltool.core.numerals import numeral
from dltool.data.dataset import Dataset
from dltool.data.series_layout import Baseline
from dltool.tasks.task import Task


@dataclass(frozen=True)
class BaselineMetrics:
    """The metrics of each baseline on the same samples as the model's.

    Attributes:
        values: Name of a baseline to name of a metric, without the split, to its value.
        descriptions: Name of a baseline to what it forecasts.
    """

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def beside(self, metric: str) -> str:
        """The values of one metric, such as "naive 0.3, seasonal naive 0.2"; empty without baselines."""
        there = {name: values[metric] for name, values in self.values.items() if metric in values}
        return ", ".join(f"{name} {numeral(value)}" for name, value in there.items())

    @property
    def remarks(self) -> list[str]:
        """What the baselines are, as one line; empty without any."""
        named = [f"{name}: {description}" for name, description in self.descriptions.items()]
        return ["; ".join(named)] if named else []


def measure_baselines(task: Task, dataset: Dataset, splits: Iterable[str]) -> BaselineMetrics:
    """The metrics of the data's baselines over the samples of some splits together."""
    found: dict[str, list[Baseline]] = {}
    targets = []
    for split in splits:
        if not (baselines := dataset.baselines(split)):
            return BaselineMetrics()
        for one in baselines:
            found.setdefault(one.name, []).append(one)
        targets += [batch.targets.cpu() for batch in dataset.evaluation(split)]
    truth = torch.cat(targets)
    whole = {name: parts for name, parts in found.items() if sum(len(one.values) for one in parts) == len(truth)}
    return BaselineMetrics(
        {name: task.measure(torch.cat([one.values for one in parts]), truth) for name, parts in whole.items()},
        {name: parts[0].description for name, parts in whole.items()},
    )
