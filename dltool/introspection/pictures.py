"""The pictures of a trained network and of what was measured of it, for a training's end and for `dltool evaluate`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.figures.attacked import Predicted, attacked_images
from dltool.figures.confusion import confusion_matrix
from dltool.figures.feature_maps import LayerMaps, feature_map_rows
from dltool.figures.kernels import kernel_grid
from dltool.figures.latent_plane import latent_plane
from dltool.figures.mistakes import misclassified_images
from dltool.figures.receptive_field import receptive_field_panels
from dltool.figures.saving import Pictures
from dltool.introspection.codes import Codes
from dltool.introspection.latent_plane import seen_plane
from dltool.introspection.layers import feature_maps, first_kernels
from dltool.introspection.mistakes import Mistakes
from dltool.introspection.seen_fields import seen_fields
from dltool.metrics.metric import Metric
from dltool.tasks.coding import CodingTask
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first picture is drawn.
    from matplotlib.figure import Figure

ToPixels = Callable[[Tensor], Tensor]  # What a model takes, `(B, C, H, W)`, as it looks: 0 … 255.
WORDS = {"train": "training", "val": "validation", "all": ""}


def metric_pictures(metrics: Mapping[str, Metric], title: str) -> Pictures:
    """Of the metrics that can be drawn, after an evaluation."""
    return {metric.picture: partial(metric.figure, title) for metric in metrics.values() if metric.picture}


def kernel_picture(model: nn.Module, image: Tensor, title: str) -> "Figure | None":
    """The kernels of the layer that looks at an image `(1, C, H, W)`, whatever it shows; None where none does."""
    if (found := first_kernels(model, image)) is None:
        return None
    return kernel_grid(found.weights.numpy(), found.name, title, whole=found.whole)


def receptive_field_picture(model: nn.Module, spec: DataSpec, images: Tensor, title: str) -> "Figure | None":
    """The receptive fields of some layers; see seen_fields. None where no layer looks at a part of the image."""
    panels = seen_fields(model, spec, images)
    return receptive_field_panels(panels, title) if panels else None


def network_pictures(
    model: nn.Module,
    mistakes: Mistakes,
    to_pixels: ToPixels,
    title: str,
    split: str,
    *,
    receptive_field: bool = False,
) -> Pictures:
    """Of a network that classifies images: its kernels, its feature maps, its mistakes.

    Args:
        model: With the weights that are to be seen.
        mistakes: After an evaluation.
        to_pixels: How the images look.
        title: Above each picture.
        split: What was evaluated.
        receptive_field: Draw that of some layers too, which takes seconds for large images.
    """
    examples, targets = mistakes.examples, mistakes.example_targets
    if examples is None or targets is None:
        return {}
    names, word = mistakes.spec.class_names, WORDS.get(split, split)
    measured, image = f"{title}, {word}".removesuffix(", "), examples[:1]

    def maps() -> "Figure | None":
        layers = [LayerMaps(name, kind, maps.numpy()) for name, kind, maps in feature_maps(model, image)]
        if not layers:
            return None
        pixels = to_pixels(image)[0].float().cpu().numpy()
        shown = f"{title}, the first {word} image".replace("  ", " ")
        return feature_map_rows(pixels, layers, shown, names[int(targets[0])])

    def confusion() -> "Figure | None":
        if mistakes.confusion is None:
            return None
        return confusion_matrix(mistakes.confusion.counts.cpu().numpy(), names, measured)

    pictures: dict[str, Callable[[], Figure | None]] = {
        "kernels.png": partial(kernel_picture, model, image, title),
        "feature_maps.png": maps,
        "confusion.png": confusion,
        "misclassified.png": partial(mistakes_picture, mistakes, to_pixels, measured),
    }
    if receptive_field:
        pictures["receptive_field.png"] = partial(receptive_field_picture, model, mistakes.spec, examples, title)
    return pictures


def mistakes_picture(mistakes: Mistakes, to_pixels: ToPixels, title: str) -> "Figure | None":
    """The surest mistakes; None where there is none."""
    if (worst := mistakes.surest()) is None:
        return None
    names = mistakes.spec.class_names
    return misclassified_images(
        to_pixels(worst.inputs).float().numpy(),
        [names[label] for label in worst.predicted.tolist()],
        [names[label] for label in worst.targets.tolist()],
        f"{title}: {mistakes.num_wrong:,} of {mistakes.num_seen:,} wrong, the surest first",
        probabilities=worst.sureness.tolist() if mistakes.has_probabilities else None,
    )


def attack_picture(task: Task, spec: DataSpec, title: str) -> "Figure | None":
    """Some images of the newest evaluation before and after the attack; None where nothing was attacked."""
    if (examples := task.attacked_examples) is None:
        return None
    clean, attacked = (pixels.float().cpu().numpy() for pixels in (examples.clean, examples.attacked))
    said = predicted_by(task, examples.clean_outputs, spec), predicted_by(task, examples.attacked_outputs, spec)
    true = [spec.class_names[label] for label in examples.targets.tolist()]
    return attacked_images(clean, attacked, said, true, title)


def predicted_by(task: Task, outputs: Tensor, spec: DataSpec) -> Predicted:
    """The classes that outputs stand for, with their probabilities where these are known."""
    said = task.interpret(outputs)
    assert said.labels is not None
    names = [spec.class_names[label] for label in said.labels.tolist()]
    return Predicted(names, None if said.probabilities is None else said.probabilities.amax(1).tolist())


def latent_picture(coder: CodingTask, kept: Codes, title: str, split: str) -> "Figure | None":
    """The plane of an autoencoder's codes; None where fewer than two samples were measured."""
    if kept.num_kept < 2:
        return None
    cloud, panels = seen_plane(coder, kept)
    word, spec = WORDS.get(split, split), coder.spec
    shown = f"{title}: the codes of {len(cloud.places):,} {word} samples, and what the decoder makes of others"
    return latent_plane(cloud, panels, spec.class_names, spec.input_range, shown)
