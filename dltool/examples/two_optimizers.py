"""A task with two optimizers: two networks that learn from the data and from each other.

To run it, then to use the run:

    dltool train --trust two_optimizers.py task=mutual model=two_networks data=digits trainer.epochs=3
    dltool train --trust two_optimizers.py task=mutual model=two_networks 'optim.roles={small:{lr:0.01}}'
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, Positive, register
from dltool.losses.criterion import Criterion
from dltool.metrics.accuracy import accuracy
from dltool.metrics.mean import Mean, MeanOver
from dltool.tasks.predictions import Prediction
from dltool.tasks.task import Loss, Source, Task, Updater


# `tasks` names the task below: no other one can train this model.
@register("model", "two_networks", inputs="any", tasks=("mutual",))
class TwoNetworks(nn.Module):
    """A small and a large perceptron; together they output the mean of their scores."""

    def __init__(self, spec: DataSpec, *, small: Positive[int] = 16, large: Positive[int] = 256) -> None:
        super().__init__()
        self.small, self.large = (
            nn.Sequential(nn.Flatten(), nn.Linear(spec.input_dim, width), nn.ReLU(), nn.Linear(width, spec.output_dim))
            for width in (small, large)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return (self.small(inputs) + self.large(inputs)) / 2


# `loss_for="data"`: `loss=auto` follows the data. `like="supervised"`: losses of supervised tasks fit this one.
@register("task", "mutual", loss_for="data", like="supervised")
class MutualTask(Task):
    """Deep mutual learning (Zhang et al. 2018, arXiv:1706.00384): each minimizes loss + w KL(other ‖ itself)."""

    # For early stopping and the choice of the best checkpoint, which need to know which direction is better.
    metric_directions: ClassVar[dict[str, str]] = {"*accuracy": "max"}
    main_metric = ("accuracy", "max")

    def __init__(
        self, model: TwoNetworks, loss: Criterion, spec: DataSpec, *, weight: NonNegative[float] = 1.0
    ) -> None:
        super().__init__(model)
        # Each role gets an optimizer and a schedule of its own. All are parts of the model, so checkpoints have them;
        # a network that is not would have to be saved by the task's state_dict() and load_state_dict().
        self.roles = {"small": model.small, "large": model.large}
        self.criterion, self.weight = loss, weight

    # The order of a step. `minimize` takes one step of one role: autocast, clipping, accumulation. The parameters of
    # the other roles get no gradient meanwhile. `draws_per_step` would state that a step draws more than one batch.
    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        batch = source.draw()
        logs = updaters["small"].minimize(lambda part: self.loss_of("small", "large", part), batch)
        return logs | updaters["large"].minimize(lambda part: self.loss_of("large", "small", part), batch)

    def loss_of(self, name: str, other: str, batch: Batch) -> Loss:
        outputs, guide = self.roles[name](batch.inputs).float(), self.roles[other](batch.inputs).float().detach()
        mean, count = self.criterion(outputs, batch.targets)
        distance = F.kl_div(outputs.log_softmax(1), guide.log_softmax(1), reduction="batchmean", log_target=True)
        # A mean and what it is a mean over, so that parts of a batch and batches of an epoch are averaged exactly.
        return Loss(mean + self.weight * distance, count, {f"{name}_loss": MeanOver(mean.detach(), count)})

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        outputs = self.model(batch.inputs).float()
        mean, count = self.criterion(outputs, batch.targets)
        single = {f"{name}_accuracy": accuracy(net(batch.inputs), batch.targets) for name, net in self.roles.items()}
        return {"loss": MeanOver(mean, count), "accuracy": accuracy(outputs, batch.targets), **single}

    def interpret(self, outputs: Tensor) -> Prediction:
        """What `dltool predict` shows."""
        return Prediction(outputs, outputs.argmax(1), outputs.softmax(1))
