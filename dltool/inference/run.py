"""A run as it is used: its model with the weights of a checkpoint, and what it takes and gives."""

import functools
import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dltool.build.components import build_model, build_task, with_targets
from dltool.config.check import Config
from dltool.config.rerun import compose_changed, with_auto
from dltool.core.errors import ConfigError, RunError
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.data.evaluation_batch import fitting_batch
from dltool.data.preprocessing import Preprocessing, check_tokenizers, from_json, tokenizer_state
from dltool.engine.checkpoint import Checkpoint
from dltool.engine.device import choose_device, choose_threads
from dltool.engine.named_checkpoints import open_checkpoint, weights_in_use
from dltool.engine.precision import Precision
from dltool.inference.attention import draw_run_attention
from dltool.inference.evaluation import Evaluation, evaluate_run
from dltool.inference.export import Exported, export_run
from dltool.inference.inputs import Raw
from dltool.inference.predicting import AnyPredictions, predict_run
from dltool.inference.reconstruction import Reconstruction, reconstruct_run
from dltool.inference.sample_generator import SampleGenerator
from dltool.inference.sampling import TextSampler
from dltool.inference.translating import Direction, Translations, translate_run
from dltool.introspection.forward_memory import sample_bytes
from dltool.runs.folder import CONFIG, PREPROCESSING, RunFolder
from dltool.tasks.task import Task
from dltool.tasks.views import View

# What may be said anew of a run that is only used; all else makes it what it is.
OF_THE_MACHINE = ("trainer.device", "trainer.threads", "trainer.precision")
OF_WORDS = ("task.analogies", "task.similarities")
OF_SAMPLES = ("task.num_samples", "task.features", "task.num_importance_samples", "task.nll_samples")
OF_AN_EVALUATION = (*OF_THE_MACHINE, "data", "attack", "task.metrics", *OF_SAMPLES, *OF_WORDS)

Weights = Literal["tested", "ema", "swa", "raw"]


class Run:
    """A training that is over, or has come some way: read from its folder, of which nothing is changed.

        run = dltool.load("outputs/2026-01-31/12-00-00_lenet_digits")
        run.predict("photo.png").values
        run.evaluate().metrics

    Args:
        folder: The run's.
        checkpoint: "last", "best", the name of one such as "step-000680", or "tested", the one that the run's own
            test measured: the best where trainer.test=best, else the last.
        weights: "tested" are the averaged ones where the training kept an average; "ema" and "swa" insist on one of
            that kind, "raw" takes the training's own.
        overrides: As on the command line; device, threads and precision may differ from the training's.
        warn: Told of each damaged checkpoint that "last" passes over.

    Attributes:
        path: Of the folder.
        config: The complete config, nested, as in config.yaml.
        status: What status.json says.

    Raises:
        ConfigError: There is no such checkpoint, or an override changes what the run is.
        CheckpointError: The checkpoint is damaged.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        checkpoint: str = "tested",
        weights: Weights = "tested",
        overrides: Sequence[str] = (),
        warn: Callable[[str], None] = lambda text: warnings.warn(text, stacklevel=2),
    ) -> None:
        self.folder = folder
        self.path = folder.path
        self.built = config_in_use(folder, overrides, OF_THE_MACHINE)
        self.config: dict[str, Any] = self.built.tree
        self.status: dict[str, Any] = folder.read_status()
        self._wanted = checkpoint
        self._raw = weights == "raw"
        kept = self.config["trainer"]["average"]["kind"]
        if weights in ("ema", "swa") and weights != kept:
            raise ConfigError(
                f"the training of {self.path} kept no {weights} of its weights (trainer.average.kind={kept})",
                f"--weights {quoted('raw' if kept == 'none' else kept)}",
            )
        self._warn = warn

    def __repr__(self) -> str:
        return f"<dltool.Run {self.path}: {self.title}>"

    @property
    def title(self) -> str:
        return f"{self.config['model']['name']} on {self.config['data']['name']}"

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each `split/name`."""
        metrics: dict[str, float] = self.status.get("metrics", {})
        return metrics

    @functools.cached_property
    def records(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        if not self.folder.metrics.exists():
            return []
        return [json.loads(line) for line in self.folder.metrics.read_text(encoding="utf-8").splitlines()]

    @functools.cached_property
    def _checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.folder.checkpoints, self._name, self._warn)

    @property
    def _name(self) -> str:
        """The checkpoint as it was asked for: last, best or a name."""
        if self._wanted != "tested":
            return self._wanted
        return "best" if self.config["trainer"]["test"] == "best" else "last"

    @property
    def checkpoint(self) -> str:
        """The name of the checkpoint whose weights the model has."""
        return self._checkpoint.path.name

    @property
    def _weights(self) -> tuple[dict[str, Tensor], str]:
        return weights_in_use(self._checkpoint, averaged=not self._raw)

    @property
    def described_checkpoint(self) -> str:
        """The same for a person: "step-000680 (last, averaged weights)"."""
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
                f"{self.path} has no {PREPROCESSING}, without which its inputs are not known",
                f"train anew: dltool train --from {quoted(self.path)}",
            )
        return from_json(saved, str(self.path / PREPROCESSING))

    @property
    def preprocessing(self) -> Preprocessing:
        """Makes of raw samples what the model takes."""
        return self._fitted[0]

    @property
    def spec(self) -> DataSpec:
        """The shape of the model's inputs, its classes."""
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
        """The training's task around the model, with the checkpoint's weights and in evaluation mode."""
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
                "was the model's code changed since?",
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
        """Samples that the model takes at a time: as many as an evaluation does where data.eval_batch_size is auto."""
        return fitting_batch(sample_bytes(self.model, self.spec), self.spec.input_shape)

    @property
    def autocast(self) -> Any:
        """What the model computes under."""
        return Precision(self.config["trainer"]["precision"], self.device).autocast

    def predict(
        self,
        inputs: Raw,
        *,
        views: Sequence[View] = (),
        beam: int | None = None,
        length_penalty: float | None = None,
    ) -> AnyPredictions:
        """What the model says of raw samples.

        Args:
            inputs: For a model of images: the path of an image, of a folder of images or a list of them; images of
                PIL, of any mode and orientation; arrays or tensors `(H, W)`, `(H, W, C)`, `(C, H, W)`, or
                `(B, C, H, W)` with 1 or 3 channels, uint8, uint16 of 16 bits, or bool. For a model of
                tables: the path of a CSV file; mappings from column to value; numbers `(B, D)`, in the order of
                the training's columns. For a model of texts: a text, a list of texts, or the Path of a file with
                a text a line, or several; with ___ for what a cloze is to guess.
            views: Average over several looks at each image; see dltool.tasks.views.
            beam: Where texts are written, beginnings that are followed side by side; 1 takes the likeliest token.
            length_penalty: α of dltool.decoding.beam_search; both are the training's where they are None.

        Raises:
            ConfigError: The task predicts nothing, or writes no text to search for.
            DataError: The inputs cannot be read, or are not what the model was trained on.
        """
        return predict_run(self, inputs, views=views, beam=beam, length_penalty=length_penalty)

    def evaluate(
        self,
        overrides: Sequence[str] = (),
        *,
        split: Literal["auto", "train", "val", "test", "all"] = "auto",
        views: Sequence[View] = (),
        predictions: bool = False,
        config_dirs: Sequence[Path] = (),
        classifier: "Run | None" = None,
    ) -> Evaluation:
        """Measure the model on its own data, or on other data that is prepared as its own was.

        Args:
            overrides: Other data (`data=…`, `data.path=…`), other metrics (`'task.metrics=[…]'`). The run's own data
                keeps its splits.
            split: "auto" is the test split; where there is none, the validation split of the run's own data, all
                samples of other data.
            views: Average over several looks at each image; see dltool.tasks.views.
            predictions: Keep what the model says of each sample too.
            config_dirs: Folders beside dltool's own in which options are looked for.
            classifier: Of a CycleGAN: the run that says whether translated images keep their class.

        Raises:
            ConfigError: An override changes what the run is, or which of its data is held out; there is no such split;
                the classifier does not fit.
            DataError: The data is missing, wrong, or none that the model could take.
        """
        config = config_in_use(self.folder, overrides, OF_AN_EVALUATION, config_dirs)
        return evaluate_run(self, config, split=split, views=views, predictions=predictions, classifier=classifier)

    def translate(self, inputs: Raw, direction: Direction) -> Translations:
        """Translate pictures between the two domains of a CycleGAN.

        Args:
            inputs: Images, as `predict` takes them, of domain A for "A2B", of B for "B2A". They are brought to the size
                of the training.
            direction: "A2B" or "B2A".

        Raises:
            ConfigError: The run translates none.
            DataError: The inputs cannot be read.
        """
        return translate_run(self, inputs, direction)

    def sample(self, prompt: str = "", *, count: int = 1, length: int | None = None, **how: Any) -> list[str]:
        """Let a language model continue a prompt `count` times; the texts begin with it.

        Args:
            prompt: How they begin; see TextSampler.stream.
            count: Of the texts.
            length: Tokens behind the prompt; see there too.
            how: What TextSampler takes: temperature, top_k, top_p, seed, unknown.
        """
        return TextSampler(self, **how).texts(prompt, count=count, length=length)

    def generate(self, count: int = 1, **how: Any) -> Tensor:
        """Samples of a generative model, scaled as its data, `(count, *input_shape)`; see SampleGenerator.

        Args:
            count: How many.
            how: What SampleGenerator.samples takes: seed, seeds, classes, truncation.
        """
        return SampleGenerator(self).samples(count, **how).values

    def reconstruct(self, inputs: Raw, *, classes: Sequence[str] | None = None) -> Reconstruction:
        """What an autoencoder or a VAE makes again of raw samples.

        Args:
            inputs: As for `predict`.
            classes: Of a conditional model, the name of each sample's class; None takes it from the file's folder.

        Raises:
            ConfigError: The model has no codes.
            DataError: The inputs cannot be read, or their classes are not known.
        """
        return reconstruct_run(self, inputs, classes)

    def draw_attention(self, text: str, path: str | Path) -> list[Path]:
        """Draw where the network looks at a text; see dltool.inference.attention."""
        return draw_run_attention(self, text, Path(path).expanduser())

    def export(
        self,
        path: str | Path | None = None,
        *,
        format: Literal["safetensors", "torch", "onnx", "word2vec"],
        network: str | None = None,
        with_preprocessing: bool = False,
        probabilities: bool = False,
        force: bool = False,
    ) -> Exported:
        """Write the model to a file for elsewhere, after a check that what was written gives the same outputs.

        Args:
            path: The file; None is `<run>/export/<checkpoint>.<suffix>`.
            format: "safetensors" is the whole model's weights; "torch" and "onnx" are graphs that compute by
                themselves, in float32, on batches of any size; numbers that were standardized come out in float64. See
                dltool.inference.formats for these and others.
            network: Of a GAN, "generator" (the default) or "discriminator".
            with_preprocessing: The graph takes uint8 pixels, or a table's numbers in float64, as they are.
            probabilities: The graph gives the probability of each class.
            force: Replace a file that exists.

        Raises:
            ConfigError: The file exists or cannot be written; a package is missing; the model has no such network
                or gives no probabilities; a column's categories cannot be exported.
            RunError: The model cannot be traced, the file could not be written, or its outputs differ. No file is left.
        """
        return export_run(
            self,
            None if path is None else Path(path).expanduser(),
            format,
            network=network,
            with_preprocessing=with_preprocessing,
            probabilities=probabilities,
            force=force,
        )


def config_in_use(
    folder: RunFolder, overrides: Sequence[str], allowed: Sequence[str], config_dirs: Sequence[Path] = ()
) -> Config:
    """A run's config with overrides that leave it what it is, and with what its data's `auto` became.

    Raises:
        ConfigError: For an override of anything else than `allowed`.
    """
    path = folder.path / CONFIG
    refusal = f", which cannot be used with {{}}; what may differ is {', '.join(allowed)}"
    config = compose_changed(path, overrides, allowed, refusal, config_dirs)
    # The device may be another today.
    auto = {key: value for key, value in folder.read_auto().items() if key.startswith("data.")}
    return with_auto(config, auto, path)
