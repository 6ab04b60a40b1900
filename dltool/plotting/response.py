"""The response of a convolutional classifier to a shift of its input."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from dltool.diagnostics.response import forward_pass, shift_response, shifted
from dltool.figures.response import Channel, response_picture
from dltool.figures.words import word
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_SAMPLES, NUM_CHANNELS = 32, 4
MOST_PIXELS = 8


class ResponseFigure:
    """Image, kernel, map, shifted map and pooled map of channels; changes and probability over the shift."""

    name = "response"
    summary = "the maps of a convolution for an image and a shifted one, and what a shift changes later"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not subject.task.predicts_classes:
            return "it does not classify"
        if len(subject.spec.input_shape) != 3:
            return "its inputs are not images"
        if subject.training_samples is None:
            return "its data is not loaded"
        if forward_pass(subject.task.model, images_of(subject, 1)) is None:
            return "it has no convolution that reads the image"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        del options  # The maps have their own sizes.

        def picture() -> "Figure":
            return draw(subject)

        return {"response": picture}


def images_of(subject: Subject, count: int) -> Tensor:
    """The first training images, prepared, on the model's device."""
    assert subject.training_samples is not None
    images = subject.training_samples(count).inputs[:count]
    return images.to(next(subject.task.model.parameters()).device)


def draw(subject: Subject) -> "Figure":
    """Measure and draw."""
    model, images = subject.task.model, images_of(subject, NUM_SAMPLES)
    most = max(1, min(MOST_PIXELS, images.shape[-1] // 4))
    response = shift_response(model, images, range(-most, most + 1))
    shown = forward_pass(model, images[:1])
    assert shown is not None
    stride = shown.convolution.stride[1]
    step = max(stride, most // 2 // stride * stride)
    after = forward_pass(model, shifted(images[:1], step))
    assert after is not None
    strongest = shown.maps[0].flatten(1).std(dim=1).argsort(descending=True, stable=True)[:NUM_CHANNELS]
    # A pooling after other convolutions has channels of its own.
    pooled = shown.pooled if shown.pooled is not None and shown.pooled.shape[1] == shown.maps.shape[1] else None
    channels = [
        Channel(
            number,
            shown.convolution.weight[number, 0].detach().float().cpu().numpy(),
            shown.maps[0, number].float().cpu().numpy(),
            after.maps[0, number].float().cpu().numpy(),
            None if pooled is None else pooled[0, number].float().cpu().numpy(),
        )
        for number in strongest.sort().values.tolist()
    ]
    changes = {
        "first maps, moved with the input (inside the borders)": response.moved,
        "first maps, in place": response.in_place,
        "pooled maps, in place": response.pooled,
        "last features, in place": response.features,
    }
    samples = word("mean over {count} training samples, edges repeated", count=len(images))
    return response_picture(
        images[0].mean(0).float().cpu().numpy(),
        channels,
        response.shifts,
        {name: values for name, values in changes.items() if values},
        response.probability,
        shown=step,
        title=word("response of {title} to a shift of the input ({layer})", title=subject.title, layer=shown.name),
        note=f"{subject.note()}; {samples}",
    )
