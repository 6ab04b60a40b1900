"""Synthetic data, all drawn from one generator, seeded with `data.split_seed`."""

import math
from typing import Literal

import torch
from torch import Tensor

from dltool.data.arrays import RawData, Split
from dltool.data.positive_class import with_positive
from dltool.data.table_data import TableData
from dltool.declarations.component import Fraction, Membership, NonNegative, Positive, Source, register, requires

OUTLIER = 10.0  # Added to the target of an outlier.

in_own_coordinates = requires(
    lambda config: config.data.scaling == "none",
    "data.scaling must be none: samples are compared with the distribution in its own coordinates",
    hint="data.scaling=none",
)


@register("data", "line", into=TableData, inputs="vector", targets="numbers")
def line(
    rng: torch.Generator,
    *,
    slope: Source[float] = 2.0,
    intercept: Source[float] = 1.0,
    mean: Source[float] = 0.0,
    sine: Source[float] = 0.0,
    noise: Source[NonNegative[float]] = 0.1,
    outliers: Source[Fraction[float]] = 0.0,
    num_samples: Membership[Positive[int]] = 1000,
) -> RawData:
    """y = slope · x + intercept + sine · sin x + noise · n, with n standard normal and x normal of variance 1.

    Args:
        rng: See the module.
        slope: The slope that a linear model should find; with unscaled inputs it does.
        intercept: The same.
        mean: Mean of x. At 0 the contours of the squared error are circles; at 3 its condition number is about 119, and
            they are an elongated valley.
        sine: Amplitude of the wave; with it a line underfits.
        noise: Standard deviation of the noise, which is also the lowest RMSE that a model can reach.
        outliers: Share of the training samples whose target is raised by 10, chosen at random, to compare losses: the
            mean squared error follows them, the mean absolute error hardly. Held-out samples have none.
        num_samples: Number of points.
    """
    x = mean + torch.randn(num_samples, 1, generator=rng)
    y = slope * x + intercept + noise * torch.randn(num_samples, 1, generator=rng)
    y = y + sine * x.sin() if sine else y
    is_outlier = torch.rand(num_samples, 1, generator=rng) < outliers
    # Not standardized, so that the weights are slope and intercept.
    return RawData(
        Split(x, y),
        None,
        None,
        "numbers",
        feature_names=("x",),
        standardize_targets=False,
        training_targets=y + OUTLIER * is_outlier if outliers else None,
        origin="line",
    )


@register("data", "logic", into=TableData, inputs="vector", targets="binary")
def logic(
    _rng: torch.Generator,
    *,
    function: Source[Literal["and", "or", "xor"]] = "and",
    positive: Membership[str | int | None] = None,
) -> RawData:
    """The truth table of a function of two bits; the four rows serve as train, val and test.

    Args:
        _rng: Not used.
        function: "and" and "or" can be separated by a line, "xor" cannot (Minsky and Papert 1969).
        positive: The positive class; null takes true, "auto" the rarer one.
    """
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor({"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}[function])
    names = ("false", "true")
    raw = RawData(Split(x, y), None, None, "binary", names, ("a", "b"), held_out=False, origin="logic")
    return with_positive(raw, positive)


@register("data", "moons", into=TableData, inputs="vector", targets="binary")
def moons(
    rng: torch.Generator,
    *,
    num_samples: Membership[Positive[int]] = 1000,
    noise: Source[NonNegative[float]] = 0.1,
    positive: Membership[str | int | None] = None,
) -> RawData:
    """Two interleaved half circles of radius 1; the lower one is shifted by (1, -0.5).

    Args:
        rng: See the module.
        num_samples: Points of both classes; they differ by at most one.
        noise: Standard deviation of each coordinate's noise.
        positive: The positive class; null takes lower.
    """
    labels = _even_labels(num_samples, 2)
    angle = math.pi * torch.rand(num_samples, generator=rng)
    upper = torch.stack([angle.cos(), angle.sin()], 1)  # (N, 2)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)  # (N, 2)
    x = torch.where(labels[:, None] == 0, upper, lower) + noise * torch.randn(num_samples, 2, generator=rng)
    return with_positive(_points(x, labels, ("upper", "lower"), "moons", "binary"), positive)


@register("data", "spirals", into=TableData, inputs="vector", targets="classes")
@requires(lambda config: config.data.num_classes >= 2, "data.num_classes is less than 2", hint="data.num_classes=3")
@requires(
    lambda config: config.data.num_samples >= config.data.num_classes,
    "data.num_samples is less than data.num_classes, so a spiral would have no points",
    hint="data.num_samples=1000",
)
def spirals(
    rng: torch.Generator,
    *,
    num_classes: Source[Positive[int]] = 3,
    num_samples: Membership[Positive[int]] = 1000,
    turns: Source[Positive[float]] = 0.75,
    noise: Source[NonNegative[float]] = 0.1,
) -> RawData:
    """Arms of a spiral from the centre to radius 1, one per class.

    Args:
        rng: See the module.
        num_classes: Number of arms, spaced evenly around the centre.
        num_samples: Points of all classes; classes differ by at most one.
        turns: Full turns of an arm; more are harder.
        noise: Standard deviation of the angle, in radians.
    """
    labels = _even_labels(num_samples, num_classes)
    radius = torch.rand(num_samples, generator=rng)
    angle = 2 * math.pi * (turns * radius + labels / num_classes) + noise * torch.randn(num_samples, generator=rng)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)  # (N, 2)
    return _points(x, labels, tuple(f"arm {i + 1}" for i in range(num_classes)), "spirals")


@register("data", "gaussians", into=TableData, inputs="vector", targets="classes")
@in_own_coordinates
def gaussians(
    rng: torch.Generator,
    *,
    num_samples: Membership[Positive[int]] = 50_000,
    radius: Source[Positive[float]] = 2.0,
    std: Source[Positive[float]] = 0.02,
) -> RawData:
    """Eight normal distributions on a ring: does a GAN find every mode? (Metz et al. 2017, arXiv:1611.02163.)

    Args:
        rng: See the module.
        num_samples: Points of all modes; modes differ by at most one.
        radius: Radius of the ring.
        std: Standard deviation of each coordinate around its center.
    """
    angles = [2 * math.pi * mode / 8 for mode in range(8)]
    centers = tuple((radius * math.cos(angle), radius * math.sin(angle)) for angle in angles)
    labels = _even_labels(num_samples, 8)
    x = torch.tensor(centers)[labels] + std * torch.randn(num_samples, 2, generator=rng)
    names = tuple(f"mode {i + 1}" for i in range(8))
    return RawData(
        Split(x, labels), None, None, "classes", names, ("x", "y"), centers=centers, center_std=std, origin="gaussians"
    )


@register("data", "gaussians_1d", into=TableData, inputs="vector", targets="classes")
@in_own_coordinates
@requires(lambda config: len(config.data.means) > 0, "data.means is empty", hint="'data.means=[3]'")
def gaussians_1d(
    rng: torch.Generator,
    *,
    num_samples: Membership[Positive[int]] = 10_000,
    means: Source[list[float]] = [3.0],  # noqa: B006 (the YAML's default; never changed)
    std: Source[Positive[float]] = 0.5,
) -> RawData:
    """One number from a normal distribution, or from several: the data of a GAN whose optimum is known exactly.

    The figure of the game between G and D in Goodfellow et al. (2014, arXiv:1406.2661, figure 1) has such data.

    Args:
        rng: See the module.
        num_samples: Samples of all distributions; their numbers differ by at most one.
        means: The mean of each distribution.
        std: Their standard deviation.
    """
    labels = _even_labels(num_samples, len(means))
    x = torch.tensor(means, dtype=torch.float32)[labels, None] + std * torch.randn(num_samples, 1, generator=rng)
    names = tuple(f"mode {i + 1}" for i in range(len(means)))
    centers = tuple((float(mean),) for mean in means)
    return RawData(
        Split(x, labels), None, None, "classes", names, ("x",), centers=centers, center_std=std, origin="gaussians_1d"
    )


def _even_labels(num_samples: int, num_classes: int) -> Tensor:
    """0, 1, …, 0, 1, …: alternating classes, so that an unshuffled epoch has all of them early."""
    return torch.arange(num_samples) % num_classes


def _points(
    x: Tensor, labels: Tensor, names: tuple[str, ...], origin: str, target: Literal["classes", "binary"] = "classes"
) -> RawData:
    return RawData(Split(x, labels), None, None, target, names, ("x", "y"), origin=origin)
