"""D over the plane of two numbers, with data and samples, and where G maps a grid of its noise."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dltool.figures.game import GameView, game_film, game_picture
from dltool.figures.words import word
from dltool.plotting.adversaries import PlottedGame
from dltool.plotting.boundary import FILM_GRID, GRID, NUM_FRAMES, Grid, make_grid
from dltool.plotting.figure import Drawings, Options
from dltool.tasks.outputs import Adversaries

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure
    from PIL.Image import Image

NUM_SAMPLES = 1000
NUM_LINES, NUM_PLACES = 17, 121  # Lines of the grid of z in each direction, and nodes on each.
TAIL = 0.02  # Share of the noise beyond the first and the last line.


def plane_drawings(game: PlottedGame, options: Options) -> Drawings:
    """The picture of the end, and a film of the training."""

    def picture() -> "Figure":
        view = game_view(game, game_grid(game, options.grid or GRID))
        size = game.adversaries.latent_dim
        notes = [game.subject.note()]
        if size > 2:
            notes.append(word("between lines the same share of z, whose other {count} numbers are 0", count=size - 2))
        elif size > 1:
            notes.append(word("between lines the same share of z"))
        note = "; ".join(notes)
        return game_picture(view, game.points, game.names, title=game.subject.title, note=note)

    def film() -> "Sequence[Image]":
        return game_film(film_views(game, options.grid or FILM_GRID), game.points, game.names, title=game.subject.title)

    return {"game": picture, "game_film": film}


def game_grid(game: PlottedGame, num: int) -> Grid:
    """A grid over the points and nearly all samples of the end, but at most twice as wide as the points."""
    low, high = game.points.min(axis=0), game.points.max(axis=0)
    inner = np.percentile(game.samples(NUM_SAMPLES), (1, 99), axis=0)
    reach = (high - low) / 2
    corners = np.stack([np.clip(inner[0], low - reach, low), np.clip(inner[1], high, high + reach)])
    return make_grid(np.concatenate([game.points, corners]), num)


def game_view(game: PlottedGame, grid: Grid, step: int | None = None) -> GameView:
    """D at the nodes, samples, and the grid of z, with the weights that the model has now."""
    values, is_probability = game.judged(grid.nodes)
    lines = [game.generated(z) for z in lattice(game.adversaries)]
    square = values.reshape(grid.num, grid.num)
    return GameView(square, grid.extent, is_probability, game.samples(NUM_SAMPLES), lines, step)


def lattice(adversaries: Adversaries) -> list[Tensor]:
    """Lines of a grid over the first two numbers of z, each `(NUM_PLACES, latent_dim)`; the other numbers are 0.

    Neighbouring lines have the same share of the noise between them, so that with two numbers of noise each cell of the
    grid, wherever G maps it, holds the same share of the samples. The first half of the lines has constant z₁; with one
    number of noise there is a single line.
    """
    size = adversaries.latent_dim
    lines, places = quantiles(adversaries, NUM_LINES), quantiles(adversaries, NUM_PLACES)
    if size == 1:
        return [places[:, None]]
    found = []
    for constant in (0, 1):
        for value in lines:
            z = torch.zeros(NUM_PLACES, size)
            z[:, constant], z[:, 1 - constant] = value, places
            found.append(z)
    return found


def quantiles(adversaries: Adversaries, count: int) -> Tensor:
    """Places in one number of z with the same share of the noise between neighbours, `(count,)`."""
    shares = np.linspace(TAIL, 1 - TAIL, count).tolist()
    if adversaries.prior == "uniform":
        return torch.tensor([2 * share - 1 for share in shares])
    return torch.tensor([NormalDist().inv_cdf(share) for share in shares])


def film_views(game: PlottedGame, num_nodes: int) -> Iterator[GameView]:
    """The game with the weights of some steps, in order."""
    grid = game_grid(game, num_nodes)
    for step in game.subject.replayed(NUM_FRAMES):
        yield game_view(game, grid, step)
