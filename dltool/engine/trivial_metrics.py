"""The metrics of predicting the mean of the training targets, or each token by its frequency."""

import math

import torch

from dltool.core.numerals import numeral
from dltool.core.spec import IGNORED
from dltool.data.dataset import Dataset
from dltool.tasks.task import Task

MAX_READ = 50_000_000  # Numbers in the inputs of a split.


def trivial_metrics(task: Task, dataset: Dataset, split: str) -> dict[str, str]:
    """Metrics of a split without a model, as text with what is predicted.

    Empty for other targets than numbers and the next token, and for a split that takes long to read.
    """
    if dataset.sizes[split] * dataset.spec.input_dim > MAX_READ:
        return {}
    if dataset.spec.target == "numbers" and task.predicts:
        return {
            name: f"{numeral(value)} by predicting the mean" for name, value in of_mean(task, dataset, split).items()
        }
    if dataset.spec.target == "next_token" and "continue" in task.uses:
        nll = nll_of_frequencies(dataset, split)
        values = {"perplexity": math.exp(nll), "bits_per_character": nll / math.log(2)}
        return {name: f"{numeral(value)} by the frequency of each token" for name, value in values.items()}
    return {}


def of_mean(task: Task, dataset: Dataset, split: str) -> dict[str, float]:
    """Metrics of predicting the mean; empty if the data has none."""
    targets, predicted = [], []
    for batch in dataset.evaluation(split):
        if (trivial := dataset.trivial_prediction(batch.inputs)) is None:
            return {}
        predicted.append(trivial.float().cpu())
        targets.append(batch.targets.cpu())
    return task.measure(torch.cat(predicted), torch.cat(targets)) if targets else {}


def nll_of_frequencies(dataset: Dataset, split: str) -> float:
    """The mean of -log p over the tokens of a split, in nats."""
    total, count = 0.0, 0
    for batch in dataset.evaluation(split):
        frequencies = dataset.trivial_prediction(batch.inputs)
        assert frequencies is not None  # The target is the next token.
        tokens = batch.targets[batch.targets != IGNORED]
        total -= frequencies[tokens].double().sum().item()
        count += len(tokens)
    return total / max(count, 1)
