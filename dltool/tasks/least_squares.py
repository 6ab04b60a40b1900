"""Linear regression in closed form, without gradients."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import EvaluationOnly, NonNegative, register, requires
from dltool.declarations.processes import needs_one_process
from dltool.losses.mse import MSE
from dltool.metrics.calibration import calibration_needs_probabilities
from dltool.metrics.mean import Mean
from dltool.models.linear import Linear
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Source, Updater, no_frozen_parameters


@register("task", "least_squares", loss_for=None, head="targets")
@requires(
    lambda config: config.data.batch_size == "full" and (config.trainer.epochs == 1 or config.trainer.steps == 1),
    "task=least_squares solves in one step over all samples at once",
    hint="data.batch_size=full trainer.epochs=1",
)
@requires(
    lambda config: config.data.targets != "labels",
    "task=least_squares fits numbers or one class per sample, but the data has several labels per sample",
    hint="model=logistic task=supervised",
)
@no_frozen_parameters
@needs_one_process  # The solution is computed from all samples at once.
@no_mixing
@calibration_needs_probabilities
class LeastSquaresTask(SupervisedTask):
    """The W and b that minimize Σ‖y - Wx - b‖² + ridge ‖W‖² over the training split, in one step.

    The gradient is zero where the normal equations hold (Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634,
    eq. 2.1), with X and Y the rows of x and y minus their means, and b = ȳ - W x̄:

        (XᵀX + ridge I) Wᵀ = XᵀY

    Without a bias the means are not subtracted. The targets of classes are one-hot codes, as in loss=mse. Everything is
    computed in float64 on the CPU, regardless of trainer.device and trainer.precision; XᵀX has the square of X's
    condition number, which is acceptable for standardized inputs. If columns of X are linearly dependent (pixels that
    are always 0), many W are optimal, and the one of least norm is taken.

    Logged in training: "loss", the mean squared error of the solution without the penalty, and for classes
    "accuracy"; an evaluation is that of task=supervised.

    Args:
        ridge: Coefficient of the sum of squared weights. It is relative to the sum over the samples, not their mean.
        metrics: As for task=supervised.
    """

    model: Linear

    def __init__(
        self,
        model: Linear,
        loss: None,
        spec: DataSpec,
        *,
        ridge: NonNegative[float] = 0.0,
        metrics: EvaluationOnly[list[str] | None] = None,
    ) -> None:
        del loss  # No other loss has a closed form.
        super().__init__(model, MSE(spec), spec, metrics=metrics)
        self.roles = {}
        self.ridge = ridge

    @torch.no_grad()
    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        batch = source.draw()
        layer = self.model.linear
        targets = batch.targets if self.spec.target == "numbers" else F.one_hot(batch.targets, self.spec.num_classes)
        weight, bias = solve(
            batch.inputs.flatten(1).cpu().double(),  # (N, D)
            targets.cpu().double(),  # (N, output_dim)
            self.ridge,
            centered=layer.bias is not None,
        )
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.copy_(bias)
        return self.loss(batch).logs


def solve(inputs: Tensor, targets: Tensor, ridge: float, *, centered: bool) -> tuple[Tensor, Tensor]:
    """The weights `(output_dim, D)` and biases `(output_dim,)` for inputs `(N, D)` and targets `(N, output_dim)`."""
    input_mean, target_mean = inputs.mean(dim=0), targets.mean(dim=0)
    if not centered:
        input_mean, target_mean = torch.zeros_like(input_mean), torch.zeros_like(target_mean)
    x, y = inputs - input_mean, targets - target_mean
    gram = x.T @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype)  # (D, D)
    weight = torch.linalg.lstsq(gram, x.T @ y, driver="gelsd").solution.T  # The solution of least norm.
    return weight, target_mean - weight @ input_mean
