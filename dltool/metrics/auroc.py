"""How well scores rank the samples of a class above the others."""

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.metric import Metric, State, UndefinedMetric


@register("metric", "auroc", of="outputs", targets=("classes", "binary", "tags", "labels"), direction="max")
class Auroc(Metric):
    """The area under the ROC curve; for more than two classes, the mean of one against the rest; for several labels
    per sample, the mean over the labels.

    The area is the probability that a sample of the class has a higher score than one of another class, equal
    scores counting half (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747). The score of the second
    of two classes is the logit, or the difference of the two; with more classes it is the softmax probability,
    whatever the loss. All classes have the same weight ("macro").

    All scores are needed at once: they are kept in the host's memory, 4 (output_dim + 2) bytes a sample, 0.5 MB for
    10,000 samples of 10 classes, 200 MB for 50,000 of 1,000. An accelerator is synchronized at each batch.
    """

    def reset(self) -> None:
        self.outputs: list[Tensor] = []
        self.targets: list[Tensor] = []

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.outputs.append(outputs.detach().cpu())
        self.targets.append(targets.cpu())

    def state(self) -> State:
        """All scores and targets, in any order: ranks do not depend on it."""
        return {"outputs": torch.cat(self.outputs), "targets": torch.cat(self.targets)} if self.targets else {}

    def merge_state(self, state: State) -> None:
        if state:
            self.update(state["outputs"], state["targets"])

    def compute(self) -> float:
        outputs, targets = torch.cat(self.outputs).double(), torch.cat(self.targets)
        if self.spec.target == "labels":
            return self.of_labels(outputs, targets)
        missing = [name for i, name in enumerate(self.spec.class_names) if not (targets == i).any()]
        if self.spec.num_classes < 2:
            raise UndefinedMetric("the data has a single class")
        if missing:
            more = f" and {len(missing) - 1} more classes" if len(missing) > 1 else ""
            raise UndefinedMetric(f"the split has no sample of {missing[0]}{more}")
        if not outputs.isfinite().all():
            raise UndefinedMetric("the model's outputs are not finite")
        if self.spec.num_classes == 2:
            scores = outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs[:, 0]
            return area(scores, targets == 1)
        scores = outputs.softmax(dim=1)  # (N, K)
        areas = [area(scores[:, k], targets == k) for k in range(self.spec.num_classes)]
        return sum(areas) / len(areas)

    def of_labels(self, outputs: Tensor, targets: Tensor) -> float:
        """The mean of the labels' areas, from logits and targets `(N, num_classes)`."""
        if not outputs.isfinite().all():
            raise UndefinedMetric("the model's outputs are not finite")
        for name, count in zip(self.spec.class_names, targets.sum(dim=0).tolist(), strict=True):
            if count in (0, len(targets)):
                raise UndefinedMetric(f"the split has {'no' if count == 0 else 'only'} samples with {name}")
        areas = [area(scores, true == 1) for scores, true in zip(outputs.unbind(1), targets.unbind(1), strict=True)]
        return sum(areas) / len(areas)


def area(scores: Tensor, positive: Tensor) -> float:
    """The Mann-Whitney statistic of the positive samples' ranks, as a share of its maximum.

    Args:
        scores: float64 `(N,)`.
        positive: bool `(N,)`, with both values.
    """
    _, place, counts = scores.unique(return_inverse=True, return_counts=True)
    counts = counts.double()
    ranks = counts.cumsum(0) - (counts - 1) / 2  # From 1; equal scores have the mean of their ranks.
    num_positive = int(positive.sum())
    num_pairs = num_positive * (len(scores) - num_positive)
    return float((ranks[place[positive]].sum() - num_positive * (num_positive + 1) / 2) / num_pairs)
