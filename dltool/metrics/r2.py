"""The share of the targets' variance that is explained."""

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.metric import Metric, State, UndefinedMetric


@register("metric", "r2", of="outputs", targets=("numbers",), direction="max")
class R2(Metric):
    """The coefficient of determination R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², averaged over several targets.

    ȳ is the mean over the evaluated split, so always predicting it gives 0, and worse predictions a negative value. The
    sum around the mean is updated batch by batch without loss of digits (Chan, Golub and LeVeque 1983,
    doi:10.1080/00031305.1983.10483115, eq. 2.1), in float64 on the host: an accelerator is synchronized at each batch.
    """

    def reset(self) -> None:
        self.count = 0
        self.mean = torch.zeros(self.spec.target_dim, dtype=torch.float64)
        self.total = torch.zeros_like(self.mean)  # Σ(y - ȳ)²
        self.residual = torch.zeros_like(self.mean)  # Σ(y - ŷ)²

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        outputs, targets = outputs.detach().cpu().double(), targets.cpu().double()
        if len(targets):
            mean = targets.mean(dim=0)
            total, residual = ((targets - other).square().sum(dim=0) for other in (mean, outputs))
            self.merge_state({"count": len(targets), "mean": mean, "total": total, "residual": residual})

    def state(self) -> State:
        sums = {"mean": self.mean, "total": self.total, "residual": self.residual}
        return {"count": self.count} | {name: value.clone() for name, value in sums.items()}

    def merge_state(self, state: State) -> None:
        size = state["count"]
        if not size:
            return
        count, shift = self.count + size, state["mean"].cpu() - self.mean
        self.total += state["total"].cpu() + shift.square() * self.count * size / count
        self.mean += shift * size / count
        self.count = count
        self.residual += state["residual"].cpu()

    def compute(self) -> float:
        if self.count < 2:
            raise UndefinedMetric("a single sample has no variance")
        if (self.total == 0).any():
            raise UndefinedMetric("all targets are the same")
        return float((1 - self.residual / self.total).mean())
