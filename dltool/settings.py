"""What can be set that is no component of its own: the run, the trainer's length and habits, the logs."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dltool.component import NonNegative, Positive, register, requires

OUTPUT_ROOT = Path("outputs")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The run folder.

    Attributes:
        dir: Where the run is written; null makes outputs/<date>/<time>_<model>_<data>. A path outside
            the output root is accepted from the command line only.
    """

    dir: str | None = None


@register("root", "train")
@dataclass(frozen=True, kw_only=True)
class RootSettings:
    """The keys beside the groups.

    Attributes:
        seed: Every random number of the run is a function of it (dltool.randomness).
        run: The run folder.
    """

    seed: NonNegative[int] = 0
    run: RunSettings = RunSettings()


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings:
    """When checkpoints are written and which are kept. One is always written at the end and on a signal.

    Attributes:
        every_n_steps, every_n_epochs, every_minutes: Periods; any that is not null applies.
        keep_last: Newest checkpoints to keep; two, so that a damaged newest one has a predecessor.
        keep_best: Best checkpoints to keep beside them, by `metric`.
        metric: A metric such as "val/loss"; null takes the task's main metric on the validation split.
        mode: Direction of the metric; "auto" knows losses and errors ("min") from all else ("max").
    """

    every_n_steps: Positive[int] | None = None
    every_n_epochs: Positive[int] | None = 1
    every_minutes: Positive[float] | None = None
    keep_last: Positive[int] = 2
    keep_best: NonNegative[int] = 1
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSettings:
    """Stop when a metric has not improved for a while.

    Attributes:
        patience: Evaluations without improvement that are borne; null never stops early.
        min_delta: Least change that counts as an improvement.
        metric, mode: As in CheckpointSettings.
    """

    patience: Positive[int] | None = None
    min_delta: NonNegative[float] = 0.0
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"


@register("trainer", "default")
@requires(
    lambda config: config.trainer.epochs is not None or config.trainer.steps is not None,
    "trainer.epochs and trainer.steps are both null, so the training has no end",
    hint="trainer.epochs=30",
)
@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """How long, where and how the training runs.

    Attributes:
        epochs: Passes over the training data.
        steps: Steps of training; where both are set, whichever comes first ends the training.
        device: "auto" takes CUDA, then MPS, then the CPU; "cpu", "cuda", "cuda:1" or "mps".
        precision: 32, or the autocast of "bf16-mixed" and "16-mixed" (the latter with loss scaling).
        accumulate: Micro-batches that a batch is cut into; gradients add up to that of the whole batch
            (batch norm sees the micro-batches).
        clip_norm: Largest L2 norm of a role's whole gradient; larger ones are scaled down.
        clip_value: Largest absolute value of each gradient component.
        threads: CPU threads of torch; "auto" looks at the machine's load once, at the start.
        test: Weights that the final test uses: "last", "best", or "none" for no test.
        evaluate_every_n_epochs: Passes between two evaluations of the validation split.
        early_stopping, checkpoint: See those classes.
    """

    epochs: Positive[int] | None = 30
    steps: Positive[int] | None = None
    device: str = "auto"
    precision: Literal[32, "bf16-mixed", "16-mixed"] = 32
    accumulate: Positive[int] = 1
    clip_norm: Positive[float] | None = None
    clip_value: Positive[float] | None = None
    threads: Positive[int] | Literal["auto"] = "auto"
    test: Literal["last", "best", "none"] = "last"
    evaluate_every_n_epochs: Positive[int] = 1
    early_stopping: EarlyStoppingSettings = EarlyStoppingSettings()
    checkpoint: CheckpointSettings = CheckpointSettings()


@dataclass(frozen=True, kw_only=True)
class WandbSettings:
    """Weights & Biases.

    Attributes:
        mode: "offline" writes to the run folder, for `wandb sync` at any later time; "online" sends while it trains,
            needs an account, and is accepted from the command line only.
        project, entity: Where the run is filed; a null entity is the account's own.
        name: Of the run; null takes the run folder's.
        group, tags: To find it by.
    """

    mode: Literal["offline", "online"] = "offline"
    project: str = "dltool"
    entity: str | None = None
    name: str | None = None
    group: str | None = None
    tags: list[str] = ()  # type: ignore[assignment]  # A dataclass refuses []; the schema reads () as it.


@dataclass(frozen=True, kw_only=True)
class MlflowSettings:
    """MLflow.

    Attributes:
        uri: Of the tracking store; null is the database outputs/mlflow.db. A server, or a database outside the output
            root, is accepted from the command line only.
        experiment: Where the run is filed.
        name: Of the run; null takes the run folder's.
    """

    uri: str | None = None
    experiment: str = "dltool"
    name: str | None = None


@register("logger", "default")
@dataclass(frozen=True, kw_only=True)
class LoggerSettings:
    """What is written while training.

    Attributes:
        to: Experiment trackers that get a copy of metrics.jsonl, with the config and the pictures.
        every_n_steps: Steps between two training lines of metrics.jsonl; each epoch's mean is there anyway.
        plots: Draw plots/curves.png at the end.
        samples: Draw what a generative model makes after each epoch, under samples/.
        wandb, mlflow: See those classes; of no effect unless `to` names them.
    """

    to: list[Literal["tensorboard", "wandb", "mlflow"]] = ()  # type: ignore[assignment]  # As above.
    every_n_steps: Positive[int] = 50
    plots: bool = True
    samples: bool = True
    wandb: WandbSettings = WandbSettings()
    mlflow: MlflowSettings = MlflowSettings()


def below_output_root(path: str | None) -> bool:
    """Whether a path, its links followed, stays inside the output root; null does."""
    root = os.path.realpath(OUTPUT_ROOT)
    return path is None or os.path.commonpath([root, os.path.realpath(path)]) == root


def is_local_database(uri: str | None) -> bool:
    """Whether an MLflow URI is null, or an SQLite file inside the output root without options of the driver."""
    scheme, separator, path = (uri or "sqlite:///outputs").partition(":///")
    return scheme == "sqlite" and bool(separator) and not set("?#") & set(path) and below_output_root(path)


@dataclass(frozen=True)
class CommandLineOnly:
    """What leaves the machine or the output root: the command line may ask for it, a shared file may not.

    Attributes:
        harmless: Whether a file may say this value too.
        what: A value that is not harmless, in words.
        default: A harmless value, for the config that is saved with the run.
    """

    harmless: Callable[[Any], bool]
    what: str
    default: Any = None


COMMAND_LINE_ONLY = {
    "run.dir": CommandLineOnly(below_output_root, "a path outside the output root"),
    "data.download": CommandLineOnly(lambda download: not download, "a download", False),
    "logger.wandb.mode": CommandLineOnly(lambda mode: mode == "offline", "sending to a server", "offline"),
    "logger.mlflow.uri": CommandLineOnly(is_local_database, "a store outside the output root"),
}
