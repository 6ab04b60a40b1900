"""Builds the trainer from the prepared parts: its stopping rules, its weight average, its checkpoints."""

from functools import partial

from dltool.build.parts import Parts
from dltool.engine.anomaly import AnomalyDetector
from dltool.engine.averaging import WeightAverage
from dltool.engine.checkpoint import CheckpointStore
from dltool.engine.clock import Clock
from dltool.engine.convergence import BatchGradientNorm, FullGradientNorm, UpdateNorm
from dltool.engine.monitored_metric import monitored_metric
from dltool.engine.observer import Progress
from dltool.engine.profiling import StepProfiler
from dltool.engine.stopping import LossChange, MaxMinutes, Overfitting, Patience, Rule, Stopping, Target
from dltool.engine.team_checkpoints import TeamCheckpoints
from dltool.engine.team_means import TeamMeans
from dltool.engine.trainer import Trainer
from dltool.metrics.running_means import RunningMeans
from dltool.runs.folder import RunFolder
from dltool.tasks.views import tta_context


def build_trainer(parts: Parts, run: RunFolder | None) -> Trainer:
    """The trainer with everything it needs except its observers.

    Args:
        parts: What was built from the config.
        run: The run folder; None in the processes that do not write, those of rank 1 and above.
    """
    settings, clock = parts.settings, Clock()
    trainer = Trainer(
        task=parts.task,
        updaters=parts.updaters,
        data=parts.dataset,
        checkpoints=build_checkpoints(parts, run),
        settings=settings,
        seed=parts.config["seed"],
        device=parts.device,
        autocast=parts.autocast,
        team=parts.team,
        stopping=build_stopping(parts, clock),
        tta_context=partial(tta_context, parts.task, settings.test_views, parts.spec),
        average=build_average(parts),
        progress=Progress(sums=RunningMeans() if parts.team.size == 1 else TeamMeans(parts.team)),
        clock=clock,
        every_n_steps=1 if tests_rates(parts) else parts.logger.every_n_steps,
    )
    if settings.detect_anomaly:
        trainer.step_context = AnomalyDetector(parts.task.model, trainer.progress)
    if settings.profile_steps is not None and run is not None:
        profiler = StepProfiler(run.profile, settings.profile_steps, parts.device)
        trainer.step_context, trainer.observers = profiler, [profiler]
    return trainer


def build_checkpoints(parts: Parts, run: RunFolder | None) -> CheckpointStore | TeamCheckpoints:
    """The checkpoints folder of the run; see build_trainer."""
    policy = parts.settings.checkpoint
    metric, direction = monitored_metric(policy.metric, policy.mode, parts.task) or (None, "min")
    store = None
    if run is not None:
        kept = {"keep_last": policy.keep_last, "keep_best": policy.keep_best}
        store = CheckpointStore(run.checkpoints, **kept, metric=metric, direction=direction)
        if parts.team.size == 1:
            return store
    return TeamCheckpoints(parts.team, store, metric)


def tests_rates(parts: Parts) -> bool:
    """Whether the training is a range test, whose loss is logged at every step."""
    return any(updater.schedule.logs_every_step for updater in parts.updaters.values())


def build_stopping(parts: Parts, clock: Clock) -> Stopping:
    """The enabled rules: those of `stop` in the order of their keys, then that of the trainer."""
    stop, task = parts.stop, parts.task
    rules: list[Rule] = []
    if stop.max_minutes is not None:
        rules.append(MaxMinutes(clock, stop.max_minutes))
    if monitored := monitored_metric(stop.metric, stop.mode, task):
        if stop.target is not None:
            rules.append(Target(*monitored, stop.target))
        if stop.patience is not None:
            rules.append(Patience(*monitored, stop.patience, stop.min_delta))
    if stop.loss_change is not None:
        rules.append(LossChange(f"{stop.loss}/loss", stop.loss_change, stop.num_evaluations))
    if stop.gradient_norm is not None and stop.gradient == "batch":
        rules.append(BatchGradientNorm(parts.updaters, stop.gradient_norm))
    elif stop.gradient_norm is not None:
        rules.append(FullGradientNorm(task, parts.dataset, parts.autocast, stop.gradient_norm))
    if stop.update_norm is not None:
        rules.append(UpdateNorm(task.model, stop.update_norm))
    if parts.settings.stop_when_overfit:
        rules.append(Overfitting())
    return Stopping(rules, stop.every_n_steps)


def build_average(parts: Parts) -> WeightAverage | None:
    settings = parts.settings.average
    if settings.kind == "none":
        return None
    return WeightAverage(parts.task.model, settings, partial(parts.dataset.evaluation, "train"), parts.autocast)
