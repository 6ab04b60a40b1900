"""A plane through an autoencoder's latent space: the samples' codes in it, and decoded images of its points."""

import math
from typing import Any

import torch
from torch import Tensor

from dltool.core.randomness import generator
from dltool.figures.latent_plane import CodeCloud, DecodedPanel, Extent
from dltool.figures.words import word
from dltool.introspection.codes import Codes
from dltool.introspection.principal_components import principal_plane
from dltool.tasks.coding import CodingTask

SIDE = 12  # Samples along a side of a decoded plane; fewer for large images.
NUM_DRAWS = 500
INNER = 0.95  # The share of N(0, 1) shown in each direction of the prior's plane, and of N(0, I) in the circle.


class Plane:
    """A projection of codes of any length to two dimensions: the identity, or their two principal directions.

    Args:
        codes: `(N, latent_dim)`.

    Attributes:
        labels: The labels of the axes.
    """

    def __init__(self, codes: Tensor) -> None:
        latent_dim = codes.shape[1]
        self.center, self.directions = torch.zeros(latent_dim), torch.eye(latent_dim)[:2]
        self.labels = ["z₁", "z₂"][:latent_dim]
        if latent_dim > 2:
            plane = principal_plane(codes)
            self.center, self.directions = plane.center.to(codes), plane.directions.to(codes)
            self.labels = [
                f"principal direction {i + 1} of {latent_dim} ({100 * share:.0f} % of the variance)"
                for i, share in enumerate(plane.shares)
            ]
        places = self.of(codes)
        self.low, self.high = places.quantile(0.01, dim=0), places.quantile(0.99, dim=0)

    def of(self, codes: Tensor) -> Tensor:
        """The coordinates of codes in the plane, `(N, 2)`; `(N, 1)` for codes of one number."""
        return (codes - self.center) @ self.directions.T

    def codes_at(self, places: Tensor) -> Tensor:
        """The codes at coordinates of the plane."""
        return self.center + places @ self.directions

    def grid(self, side: int) -> tuple[Tensor, Extent]:
        """A grid of codes over the range of the samples' codes, the upper row first, and that range."""
        x = torch.linspace(float(self.low[0]), float(self.high[0]), side)
        y = torch.linspace(float(self.high[-1]), float(self.low[-1]), side)
        # A grid point is the middle of its decoded image.
        half_x, half_y = (float(self.high[i] - self.low[i]) / (2 * side - 2) for i in (0, -1))
        extent = (float(x[0]) - half_x, float(x[-1]) + half_x, float(y[-1]) - half_y, float(y[0]) + half_y)
        if len(self.directions) == 1:
            return self.codes_at(x[:, None]), (*extent[:2], 0, 1)
        return self.codes_at(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).view(-1, 2)), extent


def seen_plane(coder: CodingTask, kept: Codes) -> tuple[CodeCloud, list[DecodedPanel]]:
    """The codes of samples over draws of N(0, I), projected to a plane; and for images the decoded points.

    The plane is that of the codes if they have two numbers, else that of their two principal directions through their
    mean.

    Args:
        coder: Encodes and decodes.
        kept: Codes of samples, at least two.
    """
    codes = kept.codes
    plane = Plane(codes)
    draws = coder.draw_codes(NUM_DRAWS, generator(0, "latent plane"))
    center = tuple(plane.of(torch.zeros(1, codes.shape[1]))[0].tolist())
    radius = math.sqrt(-2 * math.log(1 - INNER))  # For two normal variables.
    places, drawn = plane.of(codes).numpy(), plane.of(draws.cpu()).numpy()
    cloud = CodeCloud(places, kept.targets.numpy(), drawn, center, radius, INNER, plane.labels)
    return cloud, decoded_panels(coder, plane, draws) if len(coder.spec.input_shape) == 3 else []


def decoded_panels(coder: CodingTask, plane: Plane, draws: Tensor) -> list[DecodedPanel]:
    """Decoded draws of N(0, I), and a decoded grid over the codes of the data."""
    side = SIDE if coder.spec.input_shape[1] <= 32 else SIDE // 2

    def decoded(codes: Tensor, num_columns: int, labels: Tensor | None = None) -> list[Any]:
        classes = None if labels is None else labels.to(draws.device)
        samples = coder.decode(codes.to(draws.device), classes).float().cpu().numpy()
        return [samples[start : start + num_columns] for start in range(0, len(samples), num_columns)]

    codes, extent = plane.grid(side)
    one_class = torch.zeros(len(codes), dtype=torch.int64) if coder.num_classes else None
    name = word("decoded plane over the samples' codes")
    if coder.num_classes:
        name = word("decoded plane over the samples' codes, as {name}", name=coder.spec.class_names[0])
    plane_of_samples = DecodedPanel(name, decoded(codes, side, one_class), extent)
    if coder.num_classes:  # The same codes as each class.
        num_rows = min(coder.num_classes, side)
        classes = torch.arange(num_rows).repeat_interleave(side)
        of_draws = decoded(draws[:side].repeat(num_rows, 1), side, classes)
        name = word("decoded draws of N(0, I): a row is a class, a column a code")
        return [DecodedPanel(name, of_draws, None), plane_of_samples]
    if coder.latent_dim == 2:
        quantiles = torch.special.ndtri(torch.linspace((1 - INNER) / 2, (1 + INNER) / 2, side))
        x, y = torch.meshgrid(quantiles, -quantiles, indexing="xy")
        of_prior = decoded(torch.stack([x, y], dim=-1).view(-1, 2), side)
        name = word("decoded plane at quantiles of N(0, 1), {share:.0f} % of it", share=100 * INNER)
        return [DecodedPanel(name, of_prior, None), plane_of_samples]
    num_columns = side // 2 + 1
    of_draws = decoded(draws[: num_columns**2], num_columns)
    return [DecodedPanel(word("decoded draws of N(0, I)"), of_draws, None), plane_of_samples]
