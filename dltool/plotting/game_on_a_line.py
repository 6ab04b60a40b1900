"""The game over one number, where the best discriminator and the divergences are known."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dltool.diagnostics.densities import (
    REACH,
    game_value,
    jensen_shannon,
    normal_mixture,
    normal_mixture_cdf,
    optimal_discriminator,
    quadrature,
    silverman,
    wasserstein_1,
)
from dltool.figures.game_on_a_line import Divergences, LineView, line_film, line_picture
from dltool.figures.words import word
from dltool.plotting.adversaries import PlottedGame
from dltool.plotting.boundary import NUM_FRAMES
from dltool.plotting.figure import Drawings, Options

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure
    from PIL.Image import Image

NUM_SAMPLES = 1000
CERTAIN = 1e-7  # A float32 probability nearer to 0 or 1 is rounded to them.
NUM_STEPS = 64
SHOWN, SHOWN_DEVIATIONS = 401, 4.5  # Nodes of a picture, and its margin beyond the data.


class Density:
    """A density on a line: a mixture of normal distributions of one standard deviation.

    Args:
        means: Of the distributions; for a kernel density, the samples.
        std: Their standard deviation; for a kernel density, the bandwidth.
        is_exact: Whether this is the distribution itself, not an estimate from samples.
    """

    def __init__(self, means: np.ndarray, std: float, *, is_exact: bool) -> None:
        self.means, self.std, self.is_exact = means, std, is_exact

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return normal_mixture(x, self.means, self.std)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """The distribution function."""
        return normal_mixture_cdf(x, self.means, self.std)

    @property
    def support(self) -> tuple[float, float]:
        """Beyond it the density is 0 to rounding."""
        return self.within(REACH)

    def within(self, deviations: float) -> tuple[float, float]:
        """The interval up to some standard deviations beyond the outermost means."""
        reach = deviations * self.std
        return float(self.means.min()) - reach, float(self.means.max()) + reach

    def describe(self, name: str) -> str:
        if self.is_exact:
            return word("{name} exact", name=name)
        return word("{name} by kernel density, bandwidth {std:.3g}", name=name, std=self.std)


def estimated(samples: np.ndarray) -> Density:
    """The kernel density of samples `(N,)`, with Silverman's bandwidth."""
    return Density(samples, silverman(samples), is_exact=False)


def data_density(game: PlottedGame) -> Density:
    """p: the known distribution of synthetic data, else estimated from the kept training points."""
    spec = game.subject.spec
    if spec.centers:
        return Density(np.array(spec.centers)[:, 0], spec.center_std, is_exact=True)
    return estimated(game.points[:NUM_SAMPLES, 0])


def sample_density(game: PlottedGame) -> Density:
    """q: exact where G is affine and its noise normal, else estimated from samples."""
    if (exact := game.normal_samples()) is not None and exact[1] > 0:
        return Density(np.array([exact[0]]), exact[1], is_exact=True)
    return estimated(game.samples(NUM_SAMPLES)[:, 0])


def line_drawings(game: PlottedGame, options: Options) -> Drawings:
    """The picture of the end with the divergences over the training, and a film."""
    del options  # There is no map.
    p = data_density(game)
    window = shown_window(game, p)

    def picture() -> "Figure":
        view = line_view(game, p, window)
        q = sample_density(game)
        note = f"{game.subject.note()}; {p.describe('p')}, {q.describe('q')}"
        measured = [divergences(game, p, step) for step in game.subject.replayed(NUM_STEPS)]
        return line_picture(view, measured, game.names[0], title=game.subject.title, note=note)

    def film() -> "list[Image]":
        return line_film(partial(film_views, game, p, window), game.names[0], title=game.subject.title)

    return {"game": picture, "game_film": film}


def shown_window(game: PlottedGame, p: Density) -> tuple[float, float]:
    """The interval that is drawn: the data and nearly all samples of the first and of the last step."""
    ends = [p.within(SHOWN_DEVIATIONS)]
    for _ in game.subject.replayed(2):
        low, high = np.percentile(game.samples(NUM_SAMPLES), (0.5, 99.5))
        ends.append((float(low), float(high)))
    return min(low for low, _ in ends), max(high for _, high in ends)


def line_view(game: PlottedGame, p: Density, window: tuple[float, float], step: int | None = None) -> LineView:
    """The densities and the discriminators with the weights that the model has now."""
    x, q = np.linspace(*window, SHOWN), sample_density(game)
    d, is_probability = game.judged(x[:, None])
    best = optimal_discriminator(p(x), q(x))
    return LineView(x, p(x), q(x), d, is_probability, best, step)


def divergences(game: PlottedGame, p: Density, step: int) -> Divergences:
    """The distances between data and samples with the weights that the model has now."""
    q = sample_density(game)
    over = quadrature(p.support, q.support)
    at_p, at_q = p(over.x), q(over.x)
    d, is_probability = game.judged(over.x[:, None])
    value = game_value(over, at_p, at_q, d.clip(CERTAIN, 1 - CERTAIN)) if is_probability else np.nan
    earth = wasserstein_1(over, p.cdf(over.x), q.cdf(over.x))
    return Divergences(step, jensen_shannon(over, at_p, at_q), earth, value)


def film_views(game: PlottedGame, p: Density, window: tuple[float, float]) -> Iterator[LineView]:
    """The game with the weights of some steps, in order."""
    for step in game.subject.replayed(NUM_FRAMES):
        yield line_view(game, p, window, step)
