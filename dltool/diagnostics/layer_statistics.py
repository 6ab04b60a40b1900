"""What happens in each layer in one step: activations, gradients, saturation, dead units, the size of the update.

Notation: z = W a' + b is a layer's output before its activation g, a = g(z), δ = ∂J/∂z the gradient of the mean loss J
with respect to z of all samples of the probe, dW = ∂J/∂W.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from dltool.diagnostics.probe import LayerCall, weights_of

FLAT = 0.01  # An activation with |g'| below this passes almost no gradient.
# The quantities of one layer, in the order of the tensors of `of_call`.
SUMMED = ("delta2", "a_sum", "a_square_sum", "num_a", "flat_sum", "slope2_sum", "num_slopes", "var_sum", "num_units")


class LayerStatistics(dict[str, float]):
    """The statistics of one layer in one step, NaN where a quantity does not exist.

    delta: ‖δ‖, the L2 norm over all samples.
    grad: ‖dW‖, the L2 norm over all weights of the layer.
    mean, rms: Mean and root mean square of a; of z for a layer without activation.
    spread: Standard deviation over the samples (and positions) of what the activation gets, z or its normalised value;
        of z for a layer without activation. The root of the mean variance of a unit. With batch norm before the
        activation it is |γ|, at the beginning 1; near 0, the layer gives all samples nearly the same values.
    flat: Share of the activations with |g'| < 0.01, in [0, 1].
    dead: Share of the units that are 0 for all samples and positions, in [0, 1].
    slope2: Mean of g'².
    weight_var: Variance of W.
    units: Outputs of the layer per sample.
    update: ‖ΔW‖ / ‖W‖ of the step; see `relative_updates`.
    """


def layer_statistics(calls: Sequence[LayerCall]) -> dict[str, LayerStatistics]:
    """Layer name to statistics; the calls of one layer in a step count together.

    Args:
        calls: The calls of one role, with their gradients.
    """
    order = {call.name: place for place, call in reversed(list(enumerate(calls)))}
    by_layer = groupby(sorted(calls, key=lambda call: order[call.name]), key=lambda call: call.name)
    rows = {name: of_layer(list(group)) for name, group in by_layer}
    if not rows:
        return {}
    numbers = torch.stack(list(rows.values())).double().cpu().tolist()  # One transfer for all layers.
    return {name: described(row) for name, row in zip(rows, numbers, strict=True)}


@torch.no_grad()
def of_layer(calls: Sequence[LayerCall]) -> Tensor:
    """The numbers that `described` turns into statistics, float32 `(13,)`, on the layer's device."""
    sums = torch.stack([of_call(call) for call in calls]).sum(0)
    gradients = calls[-1].weight_gradient
    grad = torch.stack([g.float().norm() for g in gradients]).norm() if gradients else sums.new_tensor(math.nan)
    weight = torch.cat([p.detach().float().flatten() for p in weights_of(calls[-1].module)])
    first = calls[0]
    dead = share_of_dead_units([call.a for call in calls if call.a is not None], sums)
    units = sums.new_tensor(first.z[0].numel() if first.z.ndim else math.nan)
    return torch.stack([*sums, grad, weight.var(correction=0), dead, units])


def of_call(call: LayerCall) -> Tensor:
    """The sums over samples and units that SUMMED names, float32 `(9,)`."""
    nan = call.z.new_tensor(math.nan, dtype=torch.float32)
    delta2 = call.delta.float().square().sum() if call.delta is not None else nan
    a = (call.z if call.a is None else call.a).detach().float()
    seen = [delta2, a.sum(), a.square().sum(), nan.new_tensor(a.numel())]
    variances = variances_of_units(call.z if call.preactivation is None else call.preactivation)
    spread = [variances.sum(), nan.new_tensor(variances.numel())]
    if call.activation is None or call.preactivation is None:
        return torch.stack([*seen, nan, nan, nan.new_tensor(0), *spread])
    slope = slope_of(call)
    flat = (slope.abs() < FLAT).float().sum()
    return torch.stack([*seen, flat, slope.square().sum(), nan.new_tensor(slope.numel()), *spread])


def variances_of_units(values: Tensor) -> Tensor:
    """The variance of each unit over samples and positions, float32 `(units,)`."""
    values, others = values.detach().float(), all_but_units(values)
    centred = values - values.mean(others, keepdim=True)
    return centred.square().mean(others)  # var() over these dimensions takes ten times as long on the CPU.


def all_but_units(values: Tensor) -> list[int]:
    """The dimensions of samples and positions.

    A unit is a feature map of images `(B, C, H, W)`, else an entry of the last dimension.
    """
    unit = 1 if values.ndim == 4 else max(values.ndim - 1, 0)
    return [dimension for dimension in range(max(values.ndim, 1)) if dimension != unit or values.ndim < 2]


def slope_of(call: LayerCall) -> Tensor:
    """g'(z), elementwise, by autograd."""
    assert call.activation is not None
    assert call.preactivation is not None
    with torch.enable_grad():
        z = call.preactivation.float().requires_grad_()
        (slope,) = torch.autograd.grad(call.activation(z.clone()).sum(), z)  # It may be computed in place.
    return slope


def share_of_dead_units(outputs: Sequence[Tensor], like: Tensor) -> Tensor:
    """The share of the units (see `all_but_units`) that are 0 everywhere; NaN for a layer without activation."""
    if not outputs:
        return like.new_tensor(math.nan)
    alive = None
    for a in outputs:
        unit = 1 if a.ndim == 4 else max(a.ndim - 1, 0)
        nonzero = (a.detach() != 0).movedim(unit, 0).flatten(1).any(1)
        alive = nonzero if alive is None or alive.shape != nonzero.shape else alive | nonzero
    assert alive is not None
    return 1 - alive.float().mean()


def described(row: Sequence[float]) -> LayerStatistics:
    """The statistics of one layer, from the numbers of `of_layer`."""
    delta2, a_sum, a_square_sum, num_a, flat_sum, slope2_sum, num_slopes, var_sum, num_units = row[: len(SUMMED)]
    grad, weight_var, dead, units = row[len(SUMMED) :]
    return LayerStatistics(
        delta=math.sqrt(delta2),
        grad=grad,
        mean=a_sum / num_a,
        rms=math.sqrt(a_square_sum / num_a),
        spread=math.sqrt(var_sum / num_units),
        flat=flat_sum / num_slopes if num_slopes else math.nan,
        dead=dead,
        slope2=slope2_sum / num_slopes if num_slopes else math.nan,
        weight_var=weight_var,
        units=units,
    )


def copies_of_weights(layers: Iterable[tuple[str, nn.Module]]) -> dict[str, list[Tensor]]:
    """Layer name to copies of its weights, before a step."""
    return {name: [p.detach().clone() for p in weights_of(module)] for name, module in layers}


@torch.no_grad()
def relative_updates(before: Mapping[str, list[Tensor]], layers: Iterable[tuple[str, nn.Module]]) -> dict[str, float]:
    """Layer name to ‖W - W before‖ / ‖W before‖; about 1e-3 per step is usual, 0 for weights of zero.

    Args:
        before: Result of `copies_of_weights` before the step.
        layers: The same layers after it.
    """
    ratios = {}
    for name, module in layers:
        change = torch.stack([(p - old).norm() for p, old in zip(weights_of(module), before[name], strict=True)]).norm()
        size = torch.stack([old.norm() for old in before[name]]).norm()
        ratios[name] = change / size if float(size) else change * 0
    if not ratios:
        return {}
    return dict(zip(ratios, torch.stack(list(ratios.values())).double().cpu().tolist(), strict=True))
