"""A run with its uses: predict, evaluate, generate, translate, reconstruct, export."""

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

OF_AN_EVALUATION = (*OF_THE_MACHINE, "data", "attack")


class Run(LoadedRun):
    """A finished or partial training, read from its folder, which is not changed.

        run = dltool.load("outputs/2026-01-31/12-00-00_lenet_digits")
        run.predict("photo.png").values
        run.evaluate().metrics

    See LoadedRun for the arguments, and for its config, its task and its model.
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
        invert: bool = False,
        fit: Literal["crop", "squash", "digit"] | None = None,
        encoding: str = "auto",
    ) -> AnyPredictions:
        """Predict for raw samples. Images that are unlike the training images are warned about.

        Args:
            inputs: For a model of images: the path of an image, of a folder of images or a list of them; images of
                PIL, of any mode and orientation; arrays or tensors `(H, W)`, `(H, W, C)`, `(C, H, W)`, or
                `(B, C, H, W)` with 1 or 3 channels, uint8, uint16 of 16 bits, or bool. For a model of
                tables: the path of a CSV file; a mapping from column to value, or a list of them; numbers `(B, D)`, in
                the order of the training's columns. For a model of texts: a text, a list of texts, or the Path of a
                file with a text per line, or several; with ___ for the words that a cloze predicts. A CSV file is read
                as in training; a file that ends in .conllu and a list of lists of words are divided already.
            views: Average over augmented views of each image; see dltool.tasks.views.
            beam: For generated texts, the beam width; 1 is greedy.
            length_penalty: α of dltool.decoding.beam_search; None takes the training's value, as for `beam`.
            invert: Exchange black and white in each image.
            fit: How an image of another size is fitted, instead of as in training: "crop" and "squash" as data.fit;
                "digit" crops, scales and centres the drawing as in MNIST; see dltool.data.digit_fit.
            encoding: Of tables and texts in files. "auto" is Unicode, or else the training's data.encoding.

        Raises:
            ConfigError: The task has no predictions, writes no text to search for, or reads no images to change.
            DataError: The inputs cannot be read, or do not match the training data.
        """
        return predict_run(
            self,
            inputs,
            views=views,
            beam=beam,
            length_penalty=length_penalty,
            invert=invert,
            fit=fit,
            encoding=encoding,
        )

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
        """Evaluate the model on its own data, or on other data with the same preprocessing.

        Args:
            overrides: Other data (`data=…`, `data.path=…`), other metrics (`'task.metrics=[…]'`). The run's own data
                keeps its splits.
            split: "auto" is the test split; without one, the validation split of the run's own data, or all samples
                of other data.
            views: Average over augmented views of each image; see dltool.tasks.views.
            predictions: Also keep the prediction for each sample.
            config_dirs: Folders with options in addition to dltool's own.
            classifier: For a CycleGAN: the run that classifies translated images, to measure whether they keep their
                class.

        Raises:
            ConfigError: An override changes the model, the data or the held-out samples; the split does not exist; the
                classifier does not fit.
            DataError: The data is missing, wrong, or does not fit the model.
        """
        roles = ("task", "EvaluationOnly")
        config = config_in_use(self.folder, overrides, OF_AN_EVALUATION, config_dirs, roles)
        return evaluate_run(self, config, split=split, views=views, predictions=predictions, classifier=classifier)

    def translate(self, inputs: Raw, direction: Direction) -> Translations:
        """Translate images between the two domains of a CycleGAN.

        Args:
            inputs: Images, as `predict` takes them, of domain A for "A2B", of B for "B2A". They are resized to the size
                of the training images.
            direction: "A2B" or "B2A".

        Raises:
            ConfigError: The run translates no images.
            DataError: The inputs cannot be read.
        """
        return translate_run(self, inputs, direction)

    def sample(self, prompt: str = "", *, count: int = 1, length: int | None = None, **how: Any) -> list[str]:
        """Let a language model continue a prompt `count` times; the texts begin with it.

        Args:
            prompt: Their beginning; see TextSampler.stream.
            count: The number of texts.
            length: Tokens after the prompt; see TextSampler.stream.
            how: Arguments of TextSampler, seed and unknown, and sampling options of the task, such as temperature.
        """
        return TextSampler(self, **how).texts(prompt, count=count, length=length)

    def generate(self, count: int = 1, **how: Any) -> Tensor:
        """Samples of a generative model, scaled as its data, `(count, *input_shape)`; see SampleGenerator.

        Args:
            count: The number of samples.
            how: Arguments of SampleGenerator.samples, seed, seeds and classes, and sampling options of the task.
        """
        return SampleGenerator(self).samples(count, **how).values

    def reconstruct(self, inputs: Raw, *, classes: Sequence[str] | None = None) -> Reconstruction:
        """Reconstruct raw samples with an autoencoder or a VAE.

        Args:
            inputs: As for `predict`.
            classes: For a conditional model, the name of each sample's class; None takes the name of the file's folder.

        Raises:
            ConfigError: The model has no codes.
            DataError: The inputs cannot be read, or their classes are unknown.
        """
        return reconstruct_run(self, inputs, classes)

    def draw_attention(self, text: str, path: str | Path) -> list[Path]:
        """Plot the attention over a text; see dltool.inference.attention."""
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
        """Write the model to a file for other programs, after a check that the file gives the same outputs.

        Args:
            path: The file; None is `<run>/export/<checkpoint>.<suffix>`.
            format: "safetensors" is the whole model's weights; "torch" and "onnx" are graphs that include the
                computation, in float32, for any batch size and any length of a text; standardized numbers
                are returned in float64. See
                dltool.inference.formats for these and others.
            network: For a GAN, "generator" (the default) or "discriminator".
            with_preprocessing: The graph takes raw uint8 pixels, or a table's raw numbers in float64.
            probabilities: The graph returns the probability of each class.
            force: Replace a file that exists.

        Raises:
            ConfigError: The file exists or cannot be written; a package is missing; the model has no such network
                or has no probabilities; a column's categories cannot be exported.
            RunError: The model cannot be traced, the file cannot be written, or its outputs differ. No file is kept.
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
