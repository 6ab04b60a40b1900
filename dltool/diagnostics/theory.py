"""What mean-field theory predicts for the gradient of a plain fully connected network at a measured state."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from dltool.diagnostics.probe import LayerCall


def is_plain(calls: Sequence[LayerCall]) -> bool:
    """Whether the layers are a chain of fully connected ones with an activation after each but the last."""
    return len(calls) > 1 and all(call.is_plain for call in calls) and all(call.a is not None for call in calls[:-1])


def predicted_ratios(layers: Sequence[Mapping[str, float]]) -> list[float]:
    """‖δ_l‖ / ‖δ_{l+1}‖ of neighbouring layers: √(n_l · Var(W_{l+1}) · E g'(z_l)²).

    For independent weights of mean 0 (Schoenholz et al. 2017, arXiv:1611.01232, section 4), with the variance of the
    weights and the mean of g'² as measured, instead of their values at initialisation.

    Args:
        layers: The statistics of the layers of a plain network; see LayerStatistics and is_plain.

    Returns:
        One ratio for each pair of neighbours, from the input to the output.
    """
    return [
        math.sqrt(layer["units"] * following["weight_var"] * layer["slope2"]) for layer, following in pairwise(layers)
    ]


def predicted_deltas(layers: Sequence[Mapping[str, float]]) -> list[float]:
    """‖δ‖ of each layer, from the measured one of the last layer by `predicted_ratios`."""
    deltas = [layers[-1]["delta"]]
    for ratio in reversed(predicted_ratios(layers)):
        deltas.append(deltas[-1] * ratio)
    return deltas[::-1]
