"""Averages of the weights, kept next to them and swapped in for evaluation."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import get_swa_multi_avg_fn

from dltool.config.settings import AverageSettings
from dltool.core.batch import Batch
from dltool.layers.evaluation_mode import evaluation_mode


class WeightAverage:
    """An exponential moving average of the weights (EMA), or their plain mean over the last epochs (SWA).

    The first update copies the weights; before it no average exists, and the weights themselves are used.
    The parameters of all roles are averaged. EMA also averages floating-point buffers, among them the batch norm
    statistics; SWA recomputes those with the averaged weights, in one epoch over the training data, before they
    are used. An update is one call on two lists: 11 µs, where torch's AveragedModel takes 80.

    Args:
        training_data: Gives one epoch of the training data, for the batch norm statistics.
        autocast: The training's autocast context, for the same.

    Attributes:
        num_updates: Updates so far.
        statistics_are_fresh: Whether the average's batch norm statistics belong to its weights.
    """

    def __init__(
        self,
        model: nn.Module,
        settings: AverageSettings,
        training_data: Callable[[], Iterable[Batch]],
        autocast: Any = contextlib.nullcontext(),  # noqa: B008 (has no state)
    ) -> None:
        self.model = model
        self.settings = settings
        self.training_data = training_data
        self.autocast = autocast
        averaged: dict[str, Tensor] = {name: p for name, p in model.named_parameters() if p.is_floating_point()}
        recomputed: dict[str, Tensor] = {}
        if settings.kind == "ema":
            self.update_lists = self.decay_into
            saved = model.state_dict().keys()  # Buffers that are not saved in checkpoints are constants.
            averaged |= {name: b for name, b in model.named_buffers() if b.is_floating_point() and name in saved}
        else:
            self.update_lists = get_swa_multi_avg_fn()
            recomputed = dict(statistics_of_norms(model))
        self.num_averaged = len(averaged)
        self.names = [*averaged, *recomputed]
        self.live: list[Tensor] = [*averaged.values(), *recomputed.values()]
        self.average = [tensor.detach().clone() for tensor in self.live]
        self.num_updates = 0
        self.statistics_are_fresh = not recomputed

    def after_step(self, step: int, total_steps: int, epoch_exhausted: bool) -> None:
        """Update the average if an update is due.

        Args:
            step: Steps taken.
            total_steps: Steps of the whole training.
            epoch_exhausted: Whether this step drew the last batch of an epoch.
        """
        if self.settings.kind == "ema":
            due = step % self.settings.every_n_steps == 0
        else:
            due = epoch_exhausted and step >= self.settings.start * total_steps
        if due:
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the current weights."""
        average, live = self.average[: self.num_averaged], self.live[: self.num_averaged]
        if self.num_updates == 0:
            torch._foreach_copy_(average, live)
        else:
            self.update_lists(average, live, self.num_updates)
        self.num_updates += 1
        self.statistics_are_fresh = len(self.live) == self.num_averaged

    def decay_into(self, average: list[Tensor], live: list[Tensor], num_updates: int) -> None:
        """average ← decay · average + (1 - decay) · live."""
        decay = self.settings.decay
        if self.settings.warmup:
            decay = min(decay, (1 + num_updates) / (10 + num_updates))
        torch._foreach_lerp_(average, live, 1 - decay)

    @contextlib.contextmanager
    def applied(self, between_batches: Callable[[], None] | None = None) -> Iterator[None]:
        """The model has the averaged weights in the `with` block, and its own again after it, also after an error.

        Args:
            between_batches: Called between the batches that recompute the batch norm statistics; may raise to
                interrupt. With None nothing is recomputed: an average with stale statistics is not applied.
        """
        if self.num_updates == 0 or (between_batches is None and not self.statistics_are_fresh):
            yield
            return
        self.swap()
        try:
            if between_batches is not None and not self.statistics_are_fresh:
                self.refresh_statistics(between_batches)
            yield
        finally:
            self.swap()

    def swap(self) -> None:
        """Swap the model's tensors and the average's by pointer; nothing is copied."""
        for i, tensor in enumerate(self.live):
            tensor.data, self.average[i] = self.average[i], tensor.data

    def refresh_statistics(self, between_batches: Callable[[], None]) -> None:
        """Recompute the batch norm statistics for the model's current weights.

        Like torch's update_bn, except that frozen statistics (dltool.engine.freezing) are not reset and the momenta
        are restored after an interruption.
        """
        with evaluation_mode(self.model), torch.no_grad(), self.autocast:  # Restores the modes afterwards.
            self.model.train()
            norms = [module for module in self.model.modules() if isinstance(module, _BatchNorm) and module.training]
            momenta = [norm.momentum for norm in norms]
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum = None  # The mean over all batches.
            try:
                for batch in self.training_data():
                    between_batches()
                    self.model(batch.inputs)
            finally:
                for norm, momentum in zip(norms, momenta, strict=True):
                    norm.momentum = momentum
        self.statistics_are_fresh = True

    def state_dict(self) -> dict[str, Any]:
        """The average under the names of the model's state_dict; nothing before the first update."""
        weights = dict(zip(self.names, self.average, strict=True)) if self.num_updates else {}
        return {
            "num_updates": self.num_updates,
            "statistics_are_fresh": self.statistics_are_fresh,
            "weights": weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.num_updates = state["num_updates"]
        self.statistics_are_fresh = state["statistics_are_fresh"]
        if self.num_updates:
            for name, tensor in zip(self.names, self.average, strict=True):
                tensor.copy_(state["weights"][name])  # Keeps its memory format.


def statistics_of_norms(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Name and tensor of every running statistic of a batch norm, including its count of batches."""
    for path, module in model.named_modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            for name, buffer in module.named_buffers(recurse=False):
                yield f"{path}.{name}" if path else name, buffer
