"""Measures the network in training, and draws the measurements at the end."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from dltool.core.batch import Batch
from dltool.data.preprocessing import Preprocessing
from dltool.diagnostics.gradient_noise import GradientNoise, gradient_noise
from dltool.diagnostics.layer_statistics import copies_of_weights, layer_statistics, relative_updates
from dltool.diagnostics.moments import NUM_WEIGHTS, is_due, layer_period, weight_period
from dltool.diagnostics.probe import Probe, weights_of
from dltool.diagnostics.settings import DiagnosticsSettings
from dltool.diagnostics.step_record import StepRecord
from dltool.diagnostics.store import NAME, NUM_POINTS, WEIGHT_BYTES, DiagnosticsStore
from dltool.diagnostics.theory import is_plain, predicted_deltas
from dltool.engine.observer import Observer, Progress, Watched
from dltool.engine.updater import Updater
from dltool.observers.layer_alarms import LayerAlarms
from dltool.plotting.catalog import draw_all
from dltool.plotting.subject import Subject
from dltool.tasks.task import Task


class Diagnostics(Observer):
    """Writes diagnostics/ and draws its figures in plots/.

    Args:
        watched: The training.
        settings: What is measured.
        updaters: Role to updater; a task without any has no gradients, and its layers are not measured.
        training_samples: Returns the first training samples, not augmented, at least the number requested.
        batch_size: The number of training samples in a batch.
        preprocessing: From raw samples to the model's inputs.
        alarms: Warn of faults that the measurements show; None to stay silent, as in a test of learning rates.
        config: The complete config, for the figures; None to draw none.
        stop_period: The steps between two evaluations of the stopping rules that watch steps; None without such rules.
    """

    def __init__(
        self,
        watched: Watched,
        settings: DiagnosticsSettings,
        *,
        updaters: Mapping[str, Updater],
        training_samples: Callable[[int], Batch],
        batch_size: int,
        preprocessing: Preprocessing,
        alarms: LayerAlarms | None,
        config: Mapping[str, Any] | None,
        stop_period: int | None,
    ) -> None:
        self.watched = watched
        self.settings = settings
        self._optimizers = [updater.optimizer for updater in updaters.values()]
        self.autocasts = {role: updater.precision.autocast for role, updater in updaters.items()}
        self.training_samples = training_samples
        self.batch_size = batch_size
        self.preprocessing = preprocessing
        self.alarms = alarms
        self.config = config
        self.every_n_steps = stop_period
        self.store = DiagnosticsStore(watched.folder / NAME)
        self._task: Task | None = None
        self._progress = Progress()
        self._probe: Probe | None = None
        self._layer_period = self._weight_period = 0  # 0 for what is not measured.
        self._statistics: dict[str, dict[str, float]] = {}
        self._predicted: list[float] | None = None
        self._losses: dict[str, float] = {}
        self._noise: GradientNoise | None = None
        self._before: dict[str, list[torch.Tensor]] = {}
        self._stepping: StepRecord | None = None
        self._saved: tuple[int, dict[str, torch.Tensor]] | None = None  # Step and weights of the last checkpoint.

    def on_start(self, task: Task, progress: Progress) -> None:
        self._task, self._progress = task, progress
        self.store.cut_back(progress.step)
        if self.alarms is not None:
            self.alarms.resume(self.store)
        total, settings = progress.total_steps, self.settings
        if settings.layers and self.autocasts:
            self._layer_period = layer_period(settings.every_n_steps, self.batch_size, total)
            batch = first_samples(self.training_samples(settings.num_samples), settings.num_samples)
            self._probe = Probe(task, batch, self.autocasts, batch.inputs.device)
        if settings.layers and progress.step == 0:
            sample = first_samples(self.training_samples(1), 1)
            self.store.keep_sample(sample.inputs, sample.targets)
        if settings.weights:
            if progress.step == 0 and self.watched.spec.input_shape in ((1,), (2,)):
                points = first_samples(self.training_samples(NUM_POINTS), NUM_POINTS)
                self.store.keep_points(points.inputs, points.targets)
            num_bytes = sum(t.numel() * t.element_size() for t in task.model.state_dict().values())
            if (num_kept := min(NUM_WEIGHTS, WEIGHT_BYTES // max(num_bytes, 1))) > 1:
                self._weight_period = weight_period(total, num_kept)

    def on_record(self, record: dict[str, Any]) -> None:
        if record["split"] != "step":
            self.store.add_stopping(record["step"], self._progress.stopping.quantities(of_steps=False))

    def on_steps(self) -> None:
        self.store.add_stopping(self._progress.step, self._progress.stopping.quantities(of_steps=True))

    def watches(self, step: int) -> bool:
        return self._measures_layers(step) or self._keeps_weights(step)

    def before_step(self) -> None:
        assert self._task is not None
        step = self._progress.step
        if self._keeps_weights(step):
            self.store.add_weights(step, self._task.model.state_dict())
            self._stepping = StepRecord.before(self._task.model, step, self._optimizers)
        if self._measures_layers(step):
            assert self._probe is not None
            measured = self._probe.measure()
            self._statistics, self._predicted = {}, None
            self._losses = {name: role.loss for name, role in measured.items()}
            for role in measured.values():
                self._statistics.update(layer_statistics(role.calls))
                if len(measured) == 1 and is_plain(role.calls):
                    self._predicted = predicted_deltas(list(self._statistics.values()))
            self._noise = gradient_noise(self._probe) if self.settings.noise else None
            self._before = copies_of_weights(self._layers())

    def after_step(self) -> None:
        if self._stepping is not None:
            self.store.add_step(self._stepping.after())
            self._stepping = None
        if not self._statistics:
            return
        for name, ratio in relative_updates(self._before, self._layers()).items():
            self._statistics[name]["update"] = ratio
        assert self._probe is not None
        record: dict[str, Any] = {"step": self._progress.step - 1, "samples": self._probe.batch.size}
        record |= {"losses": self._losses, "layers": self._statistics}
        if self._predicted is not None and all(map(math.isfinite, self._predicted)):
            record["predicted"] = self._predicted
        if self._noise is not None:
            record["noise"] = self._noise.record()
        self.store.add_layers(record)
        if self.alarms is not None:
            self.store.add_alarms(self.alarms.see(record))
        self._statistics, self._before = {}, {}

    def before_checkpoint(self) -> None:
        if self._task is not None and self._weight_period:
            state = {name: tensor.detach().cpu().clone() for name, tensor in self._task.model.state_dict().items()}
            self._saved = self._progress.step, state

    def on_end(self) -> None:
        if self._task is None:
            return
        if self.alarms is not None:
            self.alarms.say_the_rest()
        step = self._progress.step
        if self._weight_period:
            self.store.add_weights(step, self._last_weights(self._task))
        if self.config is not None:
            folder = self.store.folder.path
            subject = Subject(
                self._task,
                self.watched.spec,
                self.preprocessing,
                self.config,
                folder,
                step,
                training_samples=self.training_samples,
            )
            # An average is drawn as it is tested: of all weights, not those of one step.
            is_averaged = self.config["trainer"]["average"]["kind"] != "none"
            weights = self._task.model.state_dict() if is_averaged else self._last_weights(self._task)
            with subject.with_weights(weights):
                draw_all(subject, self.watched.folder / "plots")

    def _last_weights(self, task: Task) -> Mapping[str, torch.Tensor]:
        """The weights after the last step; the model itself may have those that were tested, of an earlier one."""
        if self._saved is not None and self._saved[0] == self._progress.step:
            return self._saved[1]
        return task.model.state_dict()

    def _measures_layers(self, step: int) -> bool:
        return self._layer_period > 0 and is_due(step, self._layer_period)

    def _keeps_weights(self, step: int) -> bool:
        return self._weight_period > 0 and is_due(step, self._weight_period)

    def _layers(self) -> Iterator[tuple[str, nn.Module]]:
        """The layers that were measured, by the names in the statistics."""
        assert self._task is not None
        for role in self.autocasts:
            prefix = f"{role}." if len(self.autocasts) > 1 else ""
            for name, module in self._task.roles[role].named_modules():
                if prefix + name in self._statistics and weights_of(module):
                    yield prefix + name, module


def first_samples(batch: Batch, count: int) -> Batch:
    """The first samples of a batch."""
    size = min(count, batch.size)
    labels = batch.labels and (batch.labels[0][:size], batch.labels[1][:size])
    return batch._replace(inputs=batch.inputs[:size], targets=batch.targets[:size], full_size=size, labels=labels)
