"""A run loaded from its folder: its config, its preprocessing, its model with the weights of a checkpoint."""

import functools
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dltool.build.components import build_model, build_task, with_targets
from dltool.config.check import Config
from dltool.config.rerun import compose_changed, with_auto
from dltool.core.errors import CheckpointError, ConfigError, RunError
from dltool.core.notices import DltoolWarning
from dltool.core.safe_read import decode_line, read_lines, understood
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.core.titles import training_title
from dltool.data.evaluation_batch import fitting_batch
from dltool.data.fitted import check_tokenizers, from_json, tokenizer_state
from dltool.data.preprocessing import Preprocessing
from dltool.data.text_file import assumed_encoding
from dltool.engine.checkpoint import Checkpoint
from dltool.engine.device import choose_device, choose_threads
from dltool.engine.named_checkpoints import open_checkpoint, weights_in_use
from dltool.engine.precision import Precision
from dltool.figures.words import figure_title
from dltool.introspection.forward_memory import sample_bytes
from dltool.runs.folder import CONFIG, PREPROCESSING, RunFolder
from dltool.runs.unedited import edited
from dltool.tasks.task import Task

OF_THE_MACHINE = ("trainer.device", "trainer.threads", "trainer.precision")  # Keys that may differ from the training's.

ENCODING = "--encoding %s"

Weights = Literal["tested", "ema", "swa", "raw"]


class LoadedRun:
    """The content of a run: each part is read from its folder when it is first needed, and nothing there is changed.

    Args:
        folder: The run folder.
        checkpoint: "last", "best", a name such as "step-000680", or "tested", the one that the run's own test used:
            the best if trainer.test=best, else the last.
        weights: "tested" takes the averaged weights if the training kept an average; "ema" and "swa" require an
            average of that kind, "raw" takes the unaveraged weights.
        overrides: As on the command line; device, threads and precision may differ from the training's.
        warn: Called with a message for each damaged checkpoint that "last" skips, and for inputs that are unlike the
            training's.

    Attributes:
        path: The path of the folder.
        config: The complete config, nested, as in config.yaml.
        status: The content of status.json.

    Raises:
        ConfigError: No such checkpoint exists, or an override changes the model or the data.
        CheckpointError: The checkpoint is damaged.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        checkpoint: str = "tested",
        weights: Weights = "tested",
        overrides: Sequence[str] = (),
        warn: Callable[[str], None] = lambda text: warnings.warn(text, DltoolWarning, stacklevel=2),
    ) -> None:
        self.folder = folder
        self.path = folder.path
        self.built = config_in_use(folder, overrides, OF_THE_MACHINE)
        self.config: dict[str, Any] = self.built.tree
        self.status: dict[str, Any] = folder.read_status()
        self._requested = checkpoint
        self._raw = weights == "raw"
        kept = self.config["trainer"]["average"]["kind"]
        if weights in ("ema", "swa") and weights != kept:
            raise ConfigError(
                f"the training of {self.path} kept no {weights} of its weights (trainer.average.kind={kept})",
                f"--weights {quoted('raw' if kept == 'none' else kept)}",
            )
        self.warn = warn
        if names := edited(self.path, folder.read_environment()):
            warn(f"{', '.join(names)} of {self.path} changed since dltool wrote it; it is used as it is")

    @property
    def title(self) -> str:
        """The model and the data, "lenet on digits"."""
        return training_title(self.config["model"]["name"], self.config["data"]["name"])

    @property
    def figure_title(self) -> str:
        """The same in the language of the figures."""
        return figure_title(self.config["model"]["name"], self.config["data"]["name"])

    def reading(self, encoding: str = "auto") -> AbstractContextManager[None]:
        """The context in which files are read for this run: "auto" is Unicode, or else the training's encoding."""
        return assumed_encoding(encoding, self.config["data"].get("encoding", "auto"), ENCODING)

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each `split/name`."""
        metrics: dict[str, float] = self.status.get("metrics", {})
        return metrics

    @functools.cached_property
    def records(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        decoded = map(decode_line, read_lines(self.folder.metrics))
        return [record for record in decoded if record is not None]

    @functools.cached_property
    def _checkpoint(self) -> Checkpoint:
        try:
            return open_checkpoint(self.folder.checkpoints, self._name, self.warn)
        except CheckpointError as error:
            if self._requested != "tested" or self._name == "last":
                raise
            self._requested = "last"
            self.warn(f"{error.message}; the newest undamaged one is used")
            return open_checkpoint(self.folder.checkpoints, "last", self.warn)

    @property
    def _name(self) -> str:
        """The requested checkpoint: last, best or a name."""
        if self._requested != "tested":
            return self._requested
        test = self.config["trainer"]["test"]
        if test == "auto":
            test = self.folder.read_auto().get("trainer.test")
        return "best" if test == "best" else "last"

    @property
    def checkpoint(self) -> str:
        """The name of the checkpoint whose weights the model has."""
        return self._checkpoint.path.name

    @property
    def _weights(self) -> tuple[dict[str, Tensor], str]:
        return weights_in_use(self._checkpoint, averaged=not self._raw)

    @property
    def described_checkpoint(self) -> str:
        """The checkpoint in a message: "step-000680 (last, averaged weights)"."""
        words = [self._name] if self._name != self.checkpoint else []
        words += filter(None, [self._weights[1]])
        return self.checkpoint + (f" ({', '.join(words)})" if words else "")

    @property
    def averaged(self) -> bool:
        """Whether the weights are an average of the training's."""
        return self._weights[1] == "averaged weights"

    @functools.cached_property
    def _fitted(self) -> tuple[Preprocessing, DataSpec]:
        saved = self.folder.read_preprocessing()
        if not saved:
            raise ConfigError(
                f"{self.path} has no {PREPROCESSING}, so the preprocessing of its inputs is unknown",
                f"start a new training: dltool train --from {quoted(self.path)}",
            )
        with understood(self.path / PREPROCESSING):
            return from_json(saved, str(self.path / PREPROCESSING))

    @property
    def preprocessing(self) -> Preprocessing:
        """Converts raw samples to the model's inputs."""
        return self._fitted[0]

    @property
    def spec(self) -> DataSpec:
        """The specification of the data: the shape of the inputs, the classes."""
        return self._fitted[1]

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.spec.class_names

    @functools.cached_property
    def device(self) -> torch.device:
        device = choose_device(self.config["trainer"]["device"])
        torch.set_num_threads(choose_threads(self.config["trainer"]["threads"]))
        return device

    @functools.cached_property
    def task(self) -> Task:
        """The training's task with the model, with the checkpoint's weights and in evaluation mode."""
        check_tokenizers(
            self._checkpoint.state.get("data", {}),
            tokenizer_state(self.preprocessing, self.spec),
            str(self.path / PREPROCESSING),
            f"was the file changed? the tokenisers of {self.checkpoint} are in its manifest",
        )
        config = with_targets(self.built, self.spec)
        model = build_model(config, self.spec, self.device)
        try:
            model.load_state_dict(self._weights[0])
        except RuntimeError as error:
            raise RunError(
                f"the weights of {self.checkpoint} do not fit the model {config['model']['name']}: {error}",
                "was the model's code changed after the training?",
            ) from error
        task = build_task(config, model.eval(), self.spec)
        task.load_state_dict(self._checkpoint.state["task"])
        return task

    @property
    def model(self) -> nn.Module:
        """The network with the checkpoint's weights, in evaluation mode, on `device`; takes preprocessed inputs."""
        return self.task.model

    @functools.cached_property
    def batch_size(self) -> int:
        """The batch size of an evaluation with data.eval_batch_size=auto."""
        return fitting_batch(sample_bytes(self.model, self.spec), self.spec.input_shape)

    @property
    def autocast(self) -> Any:
        """The autocast context of the model."""
        return Precision(self.config["trainer"]["precision"], self.device).autocast


def config_in_use(
    folder: RunFolder,
    overrides: Sequence[str],
    allowed: Sequence[str],
    config_dirs: Sequence[Path] = (),
    roles: Sequence[str] = (),
) -> Config:
    """A run's config with overrides that do not change its model or data, and with the values of its data's `auto`.

    Args:
        folder: The run.
        overrides: The changes.
        allowed: Keys that may change.
        config_dirs: Folders with options in addition to dltool's own.
        roles: See compose_changed.

    Raises:
        ConfigError: An override sets a key that is not in `allowed`.
    """
    path = folder.path / CONFIG
    refusal = ", which cannot be used with {value}; only these may differ: {allowed}"
    config = compose_changed(path, overrides, allowed, refusal, config_dirs, roles)
    # The device may have changed.
    auto = {key: value for key, value in folder.read_auto().items() if key.startswith("data.")}
    return with_auto(config, auto, path)
