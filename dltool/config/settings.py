"""Settings that belong to no component: the run folder, stopping, the trainer, the loggers."""

from dataclasses import dataclass
from typing import Literal

from dltool.declarations.component import Array, Fraction, NonNegative, Positive, register, requires


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The run folder.

    Attributes:
        dir: Path of the run folder; null makes outputs/<date>/<time>_<model>_<data>. A path outside
            the output root is accepted from the command line only.
    """

    dir: str | None = None


@dataclass(frozen=True, kw_only=True)
class StopSettings:
    """Criteria that end the training early; any of them can be combined, and null disables one.

    Attributes:
        max_minutes: Training time, including evaluations and the processes before a resume.
        metric: The metric of `target` and `patience`, such as "val/loss", or "train/loss", the mean of an epoch; null
            takes the task's main metric on the validation split.
        mode: Direction of the metric; "auto" is what the metric, or the task that reports it, declares.
        target: Value of the metric at which the training stops.
        patience: Evaluations in a row without improvement: early stopping.
        min_delta: Least change that counts as an improvement.
        loss_change: The largest minus the smallest of the newest `num_evaluations` + 1 losses is below this.
        loss: The loss that `loss_change` uses: "train", the mean of each epoch, or "val".
        num_evaluations: See loss_change.
        gradient_norm: The gradient's L2 norm is below this, before clipping.
        gradient: The gradient that `gradient_norm` uses: that of the step's "batch", or the "full" gradient of the
            objective over the whole training split in evaluation mode, which takes a pass over the split.
        update_norm: The L2 norm of the change of all trained parameters in one step is below this.
        every_n_steps: Steps between two checks of the gradient and the update.
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
@requires(
    lambda config: config.augment.name == "none" or config.data.inputs == "image",
    "augment={augment.name} augments images, and data={data.name} has none",
    hint="augment=none",
)
@dataclass(frozen=True, kw_only=True)
class RootSettings:
    """The keys that belong to no group.

    Attributes:
        seed: Every random number of the run is a function of it (dltool.core.randomness).
        init_from: Source of the initial weights, loaded where names and shapes agree: a run, one of its checkpoints, or
            a file of tensors; null initializes them at random (dltool.warm_start). A path is relative to the working
            directory.
        run: The run folder.
        stop: Criteria that end the training early.
    """

    seed: NonNegative[int] = 0
    init_from: str | None = None
    run: RunSettings = RunSettings()
    stop: StopSettings = StopSettings()


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The keys of every model in addition to its own arguments.

    Attributes:
        freeze: Parameters that are not trained: patterns over their names, `features.0.*`, or the name of a module for
            all parameters below it (dltool.core.patterns). `!fc` excludes parameters again: ["*","!fc"].
        initial: The initial value of every parameter as nested lists, in the order of the state dict: [W₁, b₁, W₂, …],
            a row of W for each unit; null initializes as the model does.
    """

    freeze: list[str] | str = ()  # type: ignore[assignment]  # A dataclass refuses []; the schema reads () as it.
    initial: list[Array] | None = None


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings:
    """When checkpoints are written and which are kept. One is always written at the end and on a signal.

    Attributes:
        every_n_steps, every_n_epochs, every_minutes: Periods; any that is not null applies. "auto" is
            `trainer.evaluate_every_n_epochs`.
        keep_last: Newest checkpoints to keep; two, so that there is another one if the newest is damaged.
        keep_best: Best checkpoints to keep in addition, by `metric`.
        metric: A metric such as "val/loss"; null takes the task's main metric on the validation split, "auto" the loss
            instead of an accuracy that nobody requested: of few samples it has many ties.
        mode: Direction of the metric; "auto" is what the metric, or the task that reports it, declares.
    """

    every_n_steps: Positive[int] | None = None
    every_n_epochs: Positive[int] | Literal["auto"] | None = "auto"
    every_minutes: Positive[float] | None = None
    keep_last: Positive[int] = 2
    keep_best: NonNegative[int] = 1
    metric: str | None = "auto"
    mode: Literal["auto", "min", "max"] = "auto"


@dataclass(frozen=True, kw_only=True)
class AverageSettings:
    """An average of the weights that evaluations, samples and the final test use.

    Attributes:
        kind: "ema" is an exponential moving average (Polyak's averaging as Tarvainen and Valpola 2017 use it,
            arXiv:1703.01780), "swa" the plain mean of the weights after each of the last epochs (Izmailov et al.
            2018, arXiv:1803.05407).
        decay: For "ema": the weight of the old average at each update.
        warmup: For "ema": the decay at update n is at most (1 + n) / (10 + n), as in TensorFlow's
            ExponentialMovingAverage, so that the average forgets the initial weights in short trainings too.
        every_n_steps: For "ema": steps between two updates.
        start: For "swa": share of the training after which it begins, including the weights at that point.
    """

    kind: Literal["none", "ema", "swa"] = "none"
    decay: Fraction[float] = 0.999
    warmup: bool = True
    every_n_steps: Positive[int] = 1
    start: Fraction[float] = 0.75


@register("trainer", "default")
@requires(
    lambda config: config.trainer.epochs is not None or config.trainer.steps is not None,
    "trainer.epochs and trainer.steps are both null, so the training would never end",
    hint="trainer.epochs=auto",
)
@requires(
    lambda config: not config.trainer.channels_last or config.data.inputs == "image",
    "trainer.channels_last=true is a memory layout for images, and the data has no images",
    hint="trainer.channels_last=false",
)
@requires(
    lambda config: not config.trainer.test_views or (config.data.inputs == "image" and config.data.targets != "none"),
    "trainer.test_views averages predictions over views of images, and the data has no images with targets",
    hint="'trainer.test_views=[]'",
)
@requires(
    lambda config: config.trainer.overfit_batches is None or config.trainer.limit_batches is None,
    "trainer.overfit_batches and trainer.limit_batches both select the batches to use",
    hint="set one of them to null",
)
@requires(
    lambda config: (
        config.trainer.devices == "auto"
        or config.trainer.accumulate % config.trainer.devices == 0
        or config.trainer.accumulate == 1
    ),
    "trainer.accumulate={trainer.accumulate} pieces cannot be shared equally by {trainer.devices} processes",
    hint="a trainer.accumulate that is 1 or a multiple of {trainer.devices}",
)
@requires(
    lambda config: config.trainer.devices in (1, "auto") or config.trainer.profile_steps is None,
    "trainer.profile_steps profiles one process",
    hint="trainer.devices=1",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or config.trainer.precision != "16-mixed",
    "trainer.detect_anomaly=true would stop at the overflows that the loss scaling of 16-mixed causes",
    hint="trainer.precision=32",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or not config.trainer.compile,
    "trainer.detect_anomaly=true checks single operations, which trainer.compile=true fuses",
    hint="trainer.compile=false",
)
@requires(
    lambda config: not config.trainer.detect_anomaly or config.trainer.profile_steps is None,
    "trainer.detect_anomaly=true slows down every operation, so a profile would be meaningless",
    hint="trainer.profile_steps=null, or trainer.detect_anomaly=false",
)
@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """The length, the device and the options of the training loop.

    Attributes:
        epochs: Epochs of training; "auto" follows the size of the data (dltool.engine.length), or is null if `steps` is
            set.
        steps: Steps of training; if both are set, whichever comes first ends the training.
        stop_when_overfit: End the training when the validation loss has been above 1.5 times its minimum for five
            evaluations, while the training loss fell to less than half; "auto" does if `epochs` is "auto" and the best
            weights are tested.
        device: "auto" takes CUDA, then MPS, then the CPU; "cpu", "cuda", "cuda:1" or "mps".
        precision: 32, or the autocast of "bf16-mixed" and "16-mixed" (the latter with loss scaling).
        accumulate: Micro-batches that a batch is cut into; gradients add up to that of the whole batch
            (batch norm sees the micro-batches).
        clip_norm: Largest L2 norm of a role's whole gradient; larger ones are scaled down.
        clip_value: Largest absolute value of each gradient component.
        threads: CPU threads of torch; "auto" checks the machine's load once, at the start.
        devices: Devices of this machine that share each batch, a process for each; "auto" takes all of CUDA.
        sync_batch_norm: With several processes, batch norm uses the statistics of the whole batch; otherwise each
            process those of its share.
        timeout_minutes: How long a process may wait for the others.
        channels_last: Store the model's kernels and batches of images with the channels innermost.
        compile: Compile the network of each role with torch.compile: slow first steps, then perhaps faster ones;
            dropout draws different random numbers than without it.
        test: Weights that the final test uses: "last", "best", or "none" for no test; "auto" is "best" if the
            validation split is large enough to choose by (dltool.engine.length), else "last".
        test_views: Augmented views of each image that the final test averages over (test-time augmentation); empty is a
            plain test. The validation never uses them; for `dltool evaluate` there is `--tta`.
        evaluate_every_n_epochs: Epochs between two evaluations of the validation split; "auto" gives at most 50,
            or one in 1,000 steps.
        overfit_batches: Train on this many first batches of the first epoch repeatedly, without augmentation; an epoch
            then consists of them. null uses all batches.
        limit_batches: End each epoch, and each evaluation of a split, after this many batches.
        detect_anomaly: Check the result of every operation, and name the one that gives the first NaN or infinity.
        profile_steps: Steps to profile, after ten of warm-up, into profile/ in the run folder.
        average: See AverageSettings.
        checkpoint: See CheckpointSettings.
    """

    epochs: Positive[int] | Literal["auto"] | None = "auto"
    steps: Positive[int] | None = None
    stop_when_overfit: bool | Literal["auto"] = "auto"
    device: str = "auto"
    precision: Literal[32, "bf16-mixed", "16-mixed"] = 32
    accumulate: Positive[int] = 1
    clip_norm: Positive[float] | None = None
    clip_value: Positive[float] | None = None
    threads: Positive[int] | Literal["auto"] = "auto"
    devices: Positive[int] | Literal["auto"] = 1
    sync_batch_norm: bool = True
    timeout_minutes: Positive[float] = 10.0
    channels_last: bool = False
    compile: bool = False
    test: Literal["auto", "last", "best", "none"] = "auto"
    test_views: list[Literal["hflip", "vflip", "shift", "crops"]] = ()  # type: ignore[assignment]  # As above.
    evaluate_every_n_epochs: Positive[int] | Literal["auto"] = "auto"
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
        project, entity: The project and the entity of the run; a null entity is the account's own.
        name: The run's name; null takes the run folder's.
        group, tags: For finding the run.
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
        uri: The tracking store; null is the database outputs/mlflow.db. A server, or a database outside the output
            root, is accepted from the command line only.
        experiment: The experiment of the run.
        name: The run's name; null takes the run folder's.
    """

    uri: str | None = None
    experiment: str = "dltool"
    name: str | None = None


@register("logger", "default")
@dataclass(frozen=True, kw_only=True)
class LoggerSettings:
    """The output of a training.

    Attributes:
        to: Experiment trackers that get a copy of metrics.jsonl, with the config and the figures.
        every_n_steps: Steps between two training lines of metrics.jsonl; each epoch's mean is always written.
        plots: Draw plots/curves.png at the end, and for an image network its kernels, feature maps and mistakes.
        samples: Draw samples of a generative model in samples/, and a GIF of them at the end; write texts of a language
            model there.
        samples_every_n_steps: Steps between two of those images; null is after each epoch, or so often that there are
            fifty.
        report: Write report.html at the end: one page of the run.
        wandb, mlflow: See those classes; without effect unless `to` names them.
    """

    to: list[Literal["tensorboard", "wandb", "mlflow"]] = ()  # type: ignore[assignment]  # As above.
    every_n_steps: Positive[int] = 50
    plots: bool = True
    samples: bool = True
    samples_every_n_steps: Positive[int] | None = None
    report: bool = True
    wandb: WandbSettings = WandbSettings()
    mlflow: MlflowSettings = MlflowSettings()
