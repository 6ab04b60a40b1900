"""A classifier's loss along directions in the space of images, and its accuracy against the size of an attack."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dltool.figures.drawing import entitle, make_figure
from dltool.figures.style import GREY, OKABE_ITO, TILES_TITLE, styled
from dltool.figures.words import word

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

GRADIENT = "sign ∇ₓL"


class AttackView(NamedTuple):
    """Measurements under attack; sizes are for pixels in [0, 1].

    Attributes:
        places: Multiples of the directions.
        along: The mean loss at each place along sign ∇ₓL.
        random: The same along each random direction of signs.
        slope: The mean ‖∇ₓL‖₁.
        sizes: ε of the attacks.
        accuracies: Under FGSM of each size.
        split: The split.
        num_samples: Its size.
    """

    places: Sequence[float]
    along: Sequence[float]
    random: Sequence[Sequence[float]]
    slope: float
    sizes: Sequence[float]
    accuracies: Sequence[float]
    split: str
    num_samples: int


def attack_curves(view: AttackView, *, title: str = "", note: str = "") -> "Figure":
    """Draw the loss along the directions with its tangent, and the accuracy against ε."""
    with styled(title, note):
        figure = make_figure(12.5, 5)
        entitle(figure, word("{title}: under the fast gradient sign method", title=title), note)
        loss, accuracy = figure.subplots(1, 2)
        for place, line in enumerate(view.random):
            loss.plot(view.places, line, ":", color=GREY, label=None if place else word("random signs"))
        loss.plot(view.places, view.along, "-", color=OKABE_ITO[1], label=GRADIENT)
        middle = view.along[len(view.along) // 2]
        tangent = [middle + view.slope * place for place in view.places]
        loss.plot(view.places, tangent, "--", color=OKABE_ITO[0], linewidth=1.2, label=word("slope ‖∇ₓL‖₁"))
        loss.set_ylim(-0.05 * max(view.along), 1.1 * max(max(view.along), *map(max, view.random)))
        loss.set_xlabel(word("ε along the direction, pixels in [0, 1]"))
        loss.set_ylabel(word("mean cross-entropy, nats"))
        loss.set_title(word("loss along directions"), fontsize=TILES_TITLE)
        loss.legend(loc="upper left")
        accuracy.plot(view.sizes, view.accuracies, "-", marker="o", color=OKABE_ITO[0])
        accuracy.set_ylim(-0.02, 1.02)
        accuracy.set_xlabel(word("ε of FGSM, pixels in [0, 1]"))
        accuracy.set_ylabel(word("accuracy"))
        accuracy.set_title(word("accuracy under attack"), fontsize=TILES_TITLE)
        return figure
