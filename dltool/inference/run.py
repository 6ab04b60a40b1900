"""A run as it is used: what its model predicts, generates, translates, and what it is worth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from dltool.data.raw_inputs import Raw
from dltool.inference.attention import draw_run_attention
from dltool.inference.evaluation import Evaluation, evaluate_run
from dltool.inference.export import Exported, export_run
from dltool.inference.loaded_run import OF_THE_MACHINE, LoadedRun, config_in_use
from dltool.inference.predicting import predict_run
from dltool.inference.reconstruction import Reconstruction, reconstruct_run
from dltool.inference.sample_generator import SampleGenerator
from dltool.inference.sampling import TextSampler
from dltool.inference.translating import Direction, Translations, translate_run
from dltool.tasks.predictions import AnyPredictions
from dltool.tasks.views import View

OF_WORDS = ("task.analogies", "task.similarities")
OF_SAMPLES = ("task.num_samples", "task.features", "task.num_importance_samples", "task.nll_samples")
OF_AN_EVALUATION = (*OF_THE_MACHINE, "data", "attack", "task.metrics", *OF_SAMPLES, *OF_WORDS)


class Run(LoadedRun):
    """A training that is over, or has come some way: read from its folder, of which nothing is changed.

        run = dltool.load("outputs/2026-01-31/12-00-00_lenet_digits")
        run.predict("photo.png").values
        run.evaluate().metrics

    See LoadedRun for how it is opened, and for its config, its task and its model.
    """

    def __repr__(self) -> str:
        return f"<dltool.Run {self.path}: {self.title}>"

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
        classifier: LoadedRun | None = None,
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
