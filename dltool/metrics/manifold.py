"""How well samples and data cover each other: precision, recall, density, coverage."""

import torch
from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.sample_metric import GatheredMetric

NEIGHBOURS = 5
CHUNK = 1000  # Rows of the distance matrix at a time.


@register(
    "metric",
    "prdc",
    of="samples",
    needs="features",
    direction="max",
    reports=("precision", "recall", "density", "coverage"),
)
class Prdc(GatheredMetric):
    """Precision, recall, density and coverage of samples among held-out data; see manifold_metrics."""

    def compare(self, samples: Tensor, held_out: Tensor) -> tuple[float, ...]:
        values = manifold_metrics(held_out, samples)
        return tuple(values[name] for name in ("precision", "recall", "density", "coverage"))


def manifold_metrics(data: Tensor, samples: Tensor, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """How two sets of features cover each other. The ball of a point reaches to its k-th nearest neighbour in its set.

    "precision" is the share of samples in a ball of the data, "recall" the share of data in a ball of the samples
    (Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 2). "density" is the mean number of the data's balls that contain
    a sample, divided by k; "coverage" is the share of the data's balls that contain a sample (Naeem et al. 2020,
    arXiv:2002.09797, eqs. 3 and 4). Naeem et al. prefer the latter two: a single outlier has a large ball, and recall
    requires samples as spread as the data. Balls are closed.

    Args:
        data: `(N, D)`.
        samples: `(M, D)`, M about as large as N.
        neighbours: k; at most N - 1 and M - 1 are used.
    """
    data, samples = data.cpu().double(), samples.cpu().double()
    radius, sample_radius = own_radius(data, neighbours), own_radius(samples, neighbours)
    k = min(neighbours, len(data) - 1)
    balls = torch.zeros(len(samples), dtype=torch.int64)  # The number of the data's balls around each sample.
    covered, recalled = [], []
    for rows, radii in zip(data.split(CHUNK), radius.split(CHUNK), strict=True):
        distances = torch.cdist(rows, samples)  # (chunk, M)
        inside = distances <= radii[:, None]
        balls += inside.sum(dim=0)
        covered.append(inside.any(dim=1))
        recalled.append((distances <= sample_radius).any(dim=1))
    return {
        "precision": (balls > 0).double().mean().item(),
        "recall": torch.cat(recalled).double().mean().item(),
        "density": balls.double().mean().item() / k,
        "coverage": torch.cat(covered).double().mean().item(),
    }


def own_radius(features: Tensor, neighbours: int) -> Tensor:
    """Distance of each point to its k-th nearest neighbour, `(N,)`."""
    k = min(neighbours, len(features) - 1)
    radii = []
    for start in range(0, len(features), CHUNK):
        distances = torch.cdist(features[start : start + CHUNK], features)
        own = torch.arange(len(distances))
        distances[own, own + start] = torch.inf
        radii.append(distances.topk(k, dim=1, largest=False).values[:, -1])
    return torch.cat(radii)
