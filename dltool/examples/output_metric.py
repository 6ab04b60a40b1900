"""A metric of a model's outputs: the Brier score of predicted probabilities.

To run it, then to use the run:

    dltool train --trust output_metric.py model=mlp trainer.epochs=3 'task.metrics=[accuracy,brier]'
    dltool evaluate --trust output_metric.py RUN 'task.metrics=[brier]'
"""

from torch import Tensor
from torch.nn import functional as F

from dltool.declarations.component import register
from dltool.metrics.mean import Mean
from dltool.metrics.metric import MeanMetric


# `targets`: the kinds of target that it supports; for others an error names those that fit.
# `direction`: lower is better, so that `stop.metric=val/brier` and `trainer.checkpoint.metric=val/brier` work.
@register("metric", "brier", of="outputs", targets=("classes",), direction="min")
class Brier(MeanMetric):
    """Σ (p_k - y_k)² over the classes k, for probabilities p and the one-hot target y (Brier 1950); 0 … 2."""

    def part(self, outputs: Tensor, targets: Tensor) -> Mean:
        """The sum over a batch and its number of samples, for logits `(B, K)` and labels `(B,)`."""
        errors = outputs.softmax(1) - F.one_hot(targets, outputs.shape[1])
        return Mean(errors.square().sum(), len(targets))


# A metric that is not a mean of samples, such as a rank correlation, derives from Metric (dltool/metrics/metric.py):
# reset, update and compute, and state and merge_state, which add up the parts that several processes have seen.
