"""What can be set that is no component of its own: the run, the trainer's length and habits, the logs."""

from dataclasses import dataclass
from typing import Literal

from dltool.declarations.component import Fraction, NonNegative, Positive, register, requires


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The run folder.

    Attributes:
        dir: Where the run is written; null makes outputs/<date>/<time>_<model>_<data>. A path outside
            the output root is accepted from the command line only.
    """

    dir: str | None = None


@dataclass(frozen=True, kw_only=True)
class StopSettings:
    """What ends the training before its length does: any of these together, null for never.

    Attributes:
        max_minutes: Time of training, evaluations and the processes before a resume included.
        metric: What `target` and `patience` follow, such as "val/loss", or "train/loss", the mean of a pass; null
            takes the task's main metric on the validation split.
        mode: Direction of the metric; "auto" is what the metric, or the task that reports it, declares.
        target: Value of the metric that is enough.
        patience: Evaluations in a row without improvement: early stopping.
        min_delta: Least change that counts as an improvement.
        loss_change: The largest minus the smallest of the newest `num_evaluations` + 1 losses is below this.
        loss: Which loss that is: "train", the mean of each pass, or "val".
        num_evaluations: See loss_change.
        gradient_norm: The gradient's L2 norm is below this, before clipping.
        gradient: Which gradient that is: that of the "batch" of the step, or the "full" one of the objective over
            the whole training split in evaluation mode, which takes a pass over it.
        update_norm: The L2 norm of the change of all trained parameters in one step is below this.
        every_n_steps: Steps between two looks at the gradient and the update.
    """

    max_minutes: Positive[float] | None = None
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"
    target: float | None = None
    patience: Positive[int] | None = None
    min_delta: NonNegative[float] = 0.0
    loss_change: Positive[float] | None = None
    loss: Literal["train", "val"] = "train"
    num_evaluations: Positive[int] = 5
    gradient_norm: Positive[float] | None = None
    gradient: Literal["batch", "full"] = "batch"
    update_norm: Positive[float] | None = None
    every_n_steps: Positive[int] = 50


@register("root", "train")
@dataclass(frozen=True, kw_only=True)
class RootSettings:
    """The keys beside the groups.

    Attributes:
        seed: Every random number of the run is a function of it (dltool.core.randomness).
        init_from: Where the weights come from that the training begins with, where names and shapes agree: a run, one
            of its checkpoints, or a file of tensors; null draws them (dltool.warm_start). A path is relative to the
            working directory.
        run: The run folder.
        stop: What ends the training before its length does.
    """

    seed: NonNegative[int] = 0
    init_from: str | None = None
    run: RunSettings = RunSettings()
    stop: StopSettings = StopSettings()


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What every model takes beside its own arguments.

    Attributes:
        freeze: Parameters that are not trained: patterns over their names, `features.0.*`, or the name of a module for
            all below it (dltool.core.patterns). `!fc` takes back what an earlier one froze: ["*","!fc"].
    """

    freeze: list[str] | str = ()  # type: ignore[assignment]  # A dataclass refuses []; the schema reads () as it.


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings:
    """When checkpoints are written and which are kept. One is always written at the end and on a signal.

    Attributes:
        every_n_steps, every_n_epochs, every_minutes: Periods; any that is not null applies.
        keep_last: Newest checkpoints to keep; two, so that a damaged newest one has a predecessor.
        keep_best: Best checkpoints to keep beside them, by `metric`.
        metric: A metric such as "val/loss"; null takes the task's main metric on the validation split.
        mode: Direction of the metric; "auto" is what the metric, or the task that reports it, declares.
    """

    every_n_steps: Positive[int] | None = None
    every_n_epochs: Positive[int] | None = 1
    every_minutes: Positive[float] | None = None
    keep_last: Positive[int] = 2
    keep_best: NonNegative[int] = 1
    metric: str | None = None
    mode: Literal["auto", "min", "max"] = "auto"


@dataclass(frozen=True, kw_only=True)
class AverageSettings:
    """An average of the weights, which evaluations, samples and the final test then use.

    Attributes:
        kind: "ema" is an exponential moving average (Polyak's averaging as Tarvainen and Valpola 2017 use it,
            arXiv:1703.01780), "swa" the plain mean of the weights after each of the last passes (Izmailov et al.
            2018, arXiv:1803.05407).
        decay: Of "ema": the average keeps this share of itself at each update.
        warmup: Of "ema": the share at update n is at most (1 + n) / (10 + n), as in TensorFlow's
            ExponentialMovingAverage, so that the average forgets the initial weights in short trainings too.
        every_n_steps: Of "ema": steps between two updates.
        start: Of "swa": share of the training after which it begins, the weights there included.
    """

    kind: Literal["none", "ema", "swa"] = "none"
    decay: Fraction[float] = 0.999
    warmup: bool = True
    every_n_steps: Positive[int] = 1
    start: Fraction[float] = 0.75


@register("trainer", "default")
@requires(
    lambda config: config.trainer.epochs is not None or config.trainer.steps is not None,
    "trainer.epochs and trainer.steps are both null, so the training has no end",
    hint="trainer.epochs=30",
)
@requires(
    lambda config: not config.trainer.channels_last or config.data.inputs == "image",
    "trainer.channels_last=true is a layout of images, and the data has none",
    hint="trainer.channels_last=false",
)
@requires(
    lambda config: not config.trainer.test_views or (config.data.inputs == "image" and config.data.targets != "none"),
    "trainer.test_views looks several times at images to tell what they are, and the data has none",
    hint="'trainer.test_views=[]'",
)
@requires(
    lambda config: config.trainer.overfit_batches is None or config.trainer.limit_batches is None,
    "trainer.overfit_batches and trainer.limit_batches both say which batches are used",
    hint="one of them, the other null",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or config.trainer.precision != "16-mixed",
    "trainer.detect_anomaly=true would stop at the overflows that the loss scaling of 16-mixed provokes",
    hint="trainer.precision=32",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or not config.trainer.compile,
    "trainer.detect_anomaly=true looks at single operations, which trainer.compile=true merges",
    hint="trainer.compile=false",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or config.trainer.profile_steps is None,
    "trainer.detect_anomaly=true slows every operation down, so that there is nothing to profile",
    hint="trainer.profile_steps=null, or trainer.detect_anomaly=false",
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
        channels_last: Lay the model's kernels and batches of images out with the channels innermost.
        compile: Compile the network of each role with torch.compile: slow first steps, then perhaps faster ones;
            dropout draws other random numbers than without.
        test: Weights that the final test uses: "last", "best", or "none" for no test.
        test_views: Views of each image that the final test averages over: test-time augmentation; none is a plain test.
            The validation never does, and `dltool evaluate` by `--tta`.
        evaluate_every_n_epochs: Passes between two evaluations of the validation split.
        overfit_batches: Train on the first so many batches of the first pass again and again, without augmentation;
            a pass then has no more. null uses all.
        limit_batches: End each pass, over the training data or another split, after so many batches.
        detect_anomaly: Look at the result of every operation, and name the one that makes the first NaN or infinity.
        profile_steps: Steps to profile, after ten of warm-up, into profile/ in the run folder.
        average: See AverageSettings.
        checkpoint: See CheckpointSettings.
    """

    epochs: Positive[int] | None = 30
    steps: Positive[int] | None = None
    device: str = "auto"
    precision: Literal[32, "bf16-mixed", "16-mixed"] = 32
    accumulate: Positive[int] = 1
    clip_norm: Positive[float] | None = None
    clip_value: Positive[float] | None = None
    threads: Positive[int] | Literal["auto"] = "auto"
    channels_last: bool = False
    compile: bool = False
    test: Literal["last", "best", "none"] = "last"
    test_views: list[Literal["hflip", "vflip", "shift", "crops"]] = ()  # type: ignore[assignment]  # As above.
    evaluate_every_n_epochs: Positive[int] = 1
    overfit_batches: Positive[int] | None = None
    limit_batches: Positive[int] | None = None
    detect_anomaly: bool = False
    profile_steps: Positive[int] | None = None
    average: AverageSettings = AverageSettings()
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
        plots: Draw plots/curves.png at the end, and of a network of images its kernels, feature maps and mistakes.
        samples: Draw what a generative model makes, under samples/, and a GIF of it all at the end.
        samples_every_n_steps: Steps between two of those pictures; null is after each epoch, or as many as give fifty.
        wandb, mlflow: See those classes; of no effect unless `to` names them.
    """

    to: list[Literal["tensorboard", "wandb", "mlflow"]] = ()  # type: ignore[assignment]  # As above.
    every_n_steps: Positive[int] = 50
    plots: bool = True
    samples: bool = True
    samples_every_n_steps: Positive[int] | None = None
    wandb: WandbSettings = WandbSettings()
    mlflow: MlflowSettings = MlflowSettings()
