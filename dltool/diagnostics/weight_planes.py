"""Planes through the weights of a network: random ones, normalised by filters, and the plane nearest to a path.

Both are of Li et al. (2018, arXiv:1712.09913).
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

Weights = dict[str, Tensor]  # Name of a parameter to its values.


def weights_of_model(model: nn.Module) -> Weights:
    """Copies of the trained parameters."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def random_direction(weights: Mapping[str, Tensor], source: torch.Generator) -> Weights:
    """A normal direction in which each filter has the norm of the filter in the weights (section 4 of the paper).

    A filter has all weights of one output: the first dimension counts them. Biases and the parameters of norms, which
    have one dimension, are not moved. So the slice is the same for weights that compute the same function since a layer
    was multiplied by a factor and the next one divided by it.
    """
    direction = {}
    for name, theta in weights.items():
        noise = torch.randn(theta.shape, generator=source, dtype=torch.float32).to(theta)
        direction[name] = normalised(noise, theta) if theta.ndim >= 2 else torch.zeros_like(theta)
    return direction


def normalised(direction: Tensor, theta: Tensor) -> Tensor:
    """d ‖θ‖ / ‖d‖ for each filter."""
    own, needed = direction.flatten(1).norm(dim=1), theta.flatten(1).norm(dim=1)
    factor = needed / own.clamp(min=1e-12)
    return direction * factor.view(-1, *[1] * (theta.ndim - 1))


class PathPlane(NamedTuple):
    """The plane through the last weights that is nearest to the earlier ones.

    Attributes:
        directions: Two orthonormal directions.
        places: The coordinates of each step's weights, `(T, 2)`; those of the last are 0.
        shares: Share of Σ ‖θ_t - θ_T‖² along each direction.
        distances: The distance of each step's weights from the plane, `(T,)`.
    """

    directions: tuple[Weights, Weights]
    places: Tensor
    shares: tuple[float, float]
    distances: Tensor


def path_plane(path: Sequence[Mapping[str, Tensor]]) -> PathPlane:
    """The first two right singular vectors of M = [θ_t - θ_T] (section 7.2 of the paper), in float64.

    Args:
        path: The weights of at least three steps, of which the last is θ_T.
    """
    last = path[-1]
    rows = [torch.cat([(one[name].double() - last[name].double()).flatten() for name in last]) for one in path]
    matrix = torch.stack(rows)  # (T, P)
    _, singular, right = torch.linalg.svd(matrix, full_matrices=False)
    places = matrix @ right[:2].T
    rest = matrix - places @ right[:2]
    total = float(singular.square().sum()) or 1.0
    first, second = (float(value) ** 2 / total for value in singular[:2])
    directions = tuple(shaped(vector, last) for vector in right[:2])
    return PathPlane((directions[0], directions[1]), places, (first, second), rest.norm(dim=1))


def shaped(vector: Tensor, like: Mapping[str, Tensor]) -> Weights:
    """A vector of all weights as tensors of their shapes and types."""
    parts = vector.split([tensor.numel() for tensor in like.values()])
    return {name: part.view_as(tensor).to(tensor) for part, (name, tensor) in zip(parts, like.items(), strict=True)}


@contextlib.contextmanager
def movable(model: nn.Module) -> Iterator[None]:
    """After this context the parameters and buffers of a model are those before it."""
    before = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    try:
        yield
    finally:
        model.load_state_dict(before)


@torch.no_grad()
def move(model: nn.Module, centre: Weights, directions: tuple[Weights, Weights], place: tuple[float, float]) -> None:
    """Set the parameters to centre + a · first + b · second."""
    for name, parameter in model.named_parameters():
        if name in centre:
            parameter.copy_(centre[name] + place[0] * directions[0][name] + place[1] * directions[1][name])
