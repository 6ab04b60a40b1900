"""The figures of a trained network and its evaluation, for the end of a training and for `dltool evaluate`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dltool.core.randomness import derive_seed
from dltool.core.spec import DataSpec
from dltool.data.series_layout import ForecastExample
from dltool.figures.attacked import Predicted, attacked_images
from dltool.figures.confusion import confusion_matrix
from dltool.figures.diagram import diagram
from dltool.figures.feature_maps import LayerMaps, feature_map_rows
from dltool.figures.forecast import forecast_panels
from dltool.figures.image_table import image_table
from dltool.figures.kernels import kernel_grid
from dltool.figures.latent_plane import latent_plane
from dltool.figures.mistakes import misclassified_images
from dltool.figures.receptive_field import receptive_field_panels
from dltool.figures.saving import Pictures
from dltool.figures.words import word
from dltool.introspection.codes import Codes
from dltool.introspection.latent_plane import seen_plane
from dltool.introspection.layers import feature_maps, first_kernels
from dltool.introspection.mistakes import Mistakes
from dltool.introspection.network_layers import networks_of
from dltool.introspection.seen_fields import seen_fields
from dltool.introspection.summary import num_trained
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.metrics.metric import Metric
from dltool.tasks.coding import CodingTask
from dltool.tasks.drawing_samples import drawing_samples
from dltool.tasks.outputs import ImageTable
from dltool.tasks.task import Task

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

ToPixels = Callable[[Tensor], Tensor]  # Model inputs `(B, C, H, W)` to pixels, 0 … 255.
ADJECTIVES = {"train": "training", "val": "validation", "all": ""}


def split_word(split: str) -> str:
    """A split's name before a noun, in the language of figures; empty for "all"."""
    return word(name) if (name := ADJECTIVES.get(split, split)) else ""


def of_split(title: str, split: str) -> str:
    """ "lenet on digits, test"; the title alone for "all"."""
    name = split_word(split)
    return word("{title}, {split}", title=title, split=name) if name else title


def metric_pictures(metrics: Mapping[str, Metric], title: str) -> Pictures:
    """The figures of the metrics that can be drawn, after an evaluation."""
    return {metric.picture: partial(metric.figure, title) for metric in metrics.values() if metric.picture}


def kernel_picture(model: nn.Module, image: Tensor, title: str) -> "Figure | None":
    """The kernels of the layer that reads an image `(1, C, H, W)` with any content; None if none can be drawn."""
    if (found := first_kernels(model, image)) is None:
        return None
    return kernel_grid(found.weights.numpy(), found.name, title, whole=found.whole)


def diagram_picture(task: Task, spec: DataSpec, title: str) -> "Figure":
    """The networks of a task, as units and connections or as blocks, with the number of parameters in the title."""
    networks = networks_of(task.model, task.roles, spec)
    total = sum(parameter.numel() for parameter in task.model.parameters())
    frozen = total - num_trained(task.model)
    text = "{title}: {total:,} parameters ({frozen:,} frozen)" if frozen else "{title}: {total:,} parameters"
    return diagram(networks, title=word(text, title=title, total=total, frozen=frozen))


def receptive_field_picture(model: nn.Module, spec: DataSpec, images: Tensor, title: str) -> "Figure | None":
    """The receptive fields of some layers; see seen_fields. None if no layer's field is a part of the image."""
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
    """The figures of an image classifier: its kernels, its feature maps, its mistakes.

    Args:
        model: The model with the weights to show.
        mistakes: The mistakes, after an evaluation.
        to_pixels: Converts model inputs to pixels.
        title: The title of each figure.
        split: The split that was evaluated.
        receptive_field: Draw the receptive fields of some layers too, which takes seconds for large images.
    """
    examples, targets = mistakes.examples, mistakes.example_targets
    if examples is None or targets is None:
        return {}
    names, image = mistakes.spec.class_names, examples[:1]
    measured = of_split(title, split)

    def maps() -> "Figure | None":
        layers = [LayerMaps(name, kind, maps.numpy()) for name, kind, maps in feature_maps(model, image)]
        if not layers:
            return None
        pixels = to_pixels(image)[0].float().cpu().numpy()
        what = "{title}, the first {split} image" if split_word(split) else "{title}, the first image"
        shown = word(what, title=title, split=split_word(split))
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
    """The most confident mistakes; None if all predictions are right."""
    if (worst := mistakes.surest()) is None:
        return None
    names = mistakes.spec.class_names
    template = "{title}: {wrong:,} of {seen:,} wrong, the most confident first"
    return misclassified_images(
        to_pixels(worst.inputs).float().numpy(),
        [names[label] for label in worst.predicted.tolist()],
        [names[label] for label in worst.targets.tolist()],
        word(template, title=title, wrong=mistakes.num_wrong, seen=mistakes.num_seen),
        probabilities=worst.sureness.tolist() if mistakes.has_probabilities else None,
    )


def attack_picture(task: Task, spec: DataSpec, title: str) -> "Figure | None":
    """Some attacked images of the newest evaluation; None if nothing was attacked."""
    if (examples := task.attacked_examples) is None:
        return None
    clean, attacked = (pixels.float().cpu().numpy() for pixels in (examples.clean, examples.attacked))
    predictions = predicted_by(task, examples.clean_outputs, spec), predicted_by(task, examples.attacked_outputs, spec)
    true = [spec.class_names[label] for label in examples.targets.tolist()]
    return attacked_images(clean, attacked, predictions, true, title)


def predicted_by(task: Task, outputs: Tensor, spec: DataSpec) -> Predicted:
    """The predicted classes, with their probabilities if these are known."""
    prediction = task.interpret(outputs)
    assert prediction.labels is not None
    names = [spec.class_names[label] for label in prediction.labels.tolist()]
    return Predicted(names, None if prediction.probabilities is None else prediction.probabilities.amax(1).tolist())


def task_pictures(task: Task, spec: DataSpec, title: str) -> Pictures:
    """The figures that a task defines; see Task.image_tables."""
    tables = task.image_tables() if len(spec.input_shape) == 3 else {}
    return {f"{name}.png": partial(table_picture, task, compute, spec, title) for name, compute in tables.items()}


def table_picture(task: Task, compute: Callable[[], ImageTable], spec: DataSpec, title: str) -> "Figure":
    """One of these figures."""
    with drawing_samples(task, derive_seed(0, "image table")):
        table = compute()
    images = table.images.detach().float().cpu().numpy()
    rows = [word(name) for name in table.row_names]
    shown = word("{title}: {what}", title=title, what=word(table.title))
    return image_table(images, spec.input_range, rows, table.column_names, shown)


def forecast_pictures(task: Task, example: ForecastExample | None, spec: DataSpec, title: str, split: str) -> Pictures:
    """The figure of forecasts of a series; none for other data."""
    if example is None:
        return {}
    return {"forecast.png": partial(forecast_picture, task, example, spec, of_split(title, split))}


def forecast_picture(task: Task, example: ForecastExample, spec: DataSpec, title: str) -> "Figure":
    """The forecasts of the model for some samples of one series."""
    with evaluation_mode(task.model), torch.no_grad():
        outputs = spec.in_units(task.model(example.inputs).float()).cpu()
    forecasts = outputs.unflatten(1, (-1, len(example.columns))).numpy()
    return forecast_panels(
        example.times,
        example.values,
        forecasts,
        example.starts,
        example.columns,
        title=f"{title}{f': {example.series}' if example.series else ''}",
        unit=example.unit,
    )


def latent_picture(coder: CodingTask, kept: Codes, title: str, split: str) -> "Figure | None":
    """The plane of an autoencoder's codes; None if fewer than two samples were evaluated."""
    if kept.num_kept < 2:
        return None
    cloud, panels = seen_plane(coder, kept)
    spec, template = coder.spec, "{title}: the codes of {count:,} {split} samples, and decoded codes"
    shown = word(template, title=title, count=len(cloud.places), split=split_word(split)).replace("  ", " ")
    return latent_plane(cloud, panels, spec.class_names, spec.input_range, shown)
