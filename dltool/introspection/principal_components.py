"""The two principal directions of vectors."""

from typing import NamedTuple

import torch
from torch import Tensor


class PrincipalPlane(NamedTuple):
    """The plane through the mean of some vectors in which their variance is largest.

    Attributes:
        center: The mean of the vectors, `(D,)`.
        directions: Orthonormal, `(2, D)`; the entry of each with the largest magnitude is positive. A direction
            without variance is 0 where the vectors have fewer than two.
        shares: Share of the variance along each direction; 0 for equal vectors.
    """

    center: Tensor
    directions: Tensor
    shares: tuple[float, float]

    def places(self, vectors: Tensor) -> Tensor:
        """The coordinates of vectors `(N, D)` in the plane, `(N, 2)`."""
        return (vectors.to(self.center) - self.center) @ self.directions.T


def principal_plane(vectors: Tensor) -> PrincipalPlane:
    """The principal plane of vectors `(N, D)`, by a singular value decomposition in float64."""
    values = vectors.detach().double()
    center = values.mean(dim=0)
    _, lengths, rows = torch.linalg.svd(values - center, full_matrices=False)
    found = rows[:2]
    largest = found.gather(1, found.abs().argmax(dim=1, keepdim=True))
    directions = torch.zeros(2, values.shape[1], dtype=values.dtype, device=values.device)
    directions[: len(found)] = found * largest.sign()
    variances = torch.zeros(2, dtype=values.dtype, device=values.device)
    variances[: len(found)] = lengths[:2].square()
    shares = (variances / lengths.square().sum().clamp(min=torch.finfo(values.dtype).tiny)).tolist()
    return PrincipalPlane(center, directions, (shares[0], shares[1]))
