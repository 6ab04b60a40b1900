"""Faults of a training that the measurements of its layers show: which, where, since when.

Each condition must hold at SUSTAINED measured steps in a row, since a single one may be chance, or the first step of
weights that start at zero. The thresholds are physical, not fitted to a model; the reasons are next to them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Record = Mapping[str, Any]  # A line of layers.jsonl; see dltool.diagnostics.store.

SUSTAINED = 3
# Share of a layer's units. A ReLU network has some dead units at any time, and half of a deep layer's at the start,
# since its inputs hardly differ. The other units may be enough, but need time: AlexNet on digits, with more than 94 %
# of its second layer's maps at 0 from step 16 on, has a loss of 2.25 at step 100, 0.81 at step 200, 0.22 at step 300.
DEAD, DEAD_FROM = 0.5, 200
BLOCKED = 0.99  # Hardly any gradient passes a layer of which fewer than one unit in a hundred is left.
LEARNT = 0.05  # Relative fall of the loss: AlexNet learns to classify digits with 80 % of its second layer's maps at 0.
MIN_SAMPLES = 20  # A unit that is on for one sample in ten is off for all of 5 by chance in 59 %, of 32 in 3 %.
SATURATED = 0.9  # Share of the activations with |g'| < 0.01.
# Ratio of ‖δ‖ of two layers. Rounding is 6e-8 of a number in float32: a weight whose gradient is 1e-4 of the others'
# needs 10,000 of their steps for one of its own.
VANISHED, EXPLODED = 1e-4, 1e4
SMALL_UPDATE, SMALL_FROM = 1e-6, 32  # ‖ΔW‖/‖W‖: a million steps for a change of the weights' own size.
# A weight that starts at 0 and gets equal steps changes by 1/t in step t, so that large ratios are normal at first.
LARGE_UPDATE, LARGE_FROM = 0.1, 32
REPLACED = 10.0  # The weights before such a step do not matter any more, unless they started at 0.
STILL, STILL_FROM = 1e-3, 64  # Relative change of the loss on the probe since the first step.
GROWN = 10.0  # Times the first loss.


class Alarm(NamedTuple):
    """A fault at one place.

    Attributes:
        kind: A key of KINDS.
        place: The layer, or the role whose loss it is.
        step: The measured step at which its condition had held for long enough.
        value: What crossed the threshold.
        other: The layer that `place` is compared with, or "".
    """

    kind: str
    place: str
    step: int
    value: float
    other: str = ""


class Finding(NamedTuple):
    """The value at a place; see Alarm."""

    value: float
    other: str = ""


Found = dict[str, Finding]  # Place to finding.


def alarms_at(records: Sequence[Record]) -> list[Alarm]:
    """The faults at the newest measured step.

    Args:
        records: The measured steps so far, in order.
    """
    if not records:
        return []
    return [
        Alarm(kind, place, records[-1]["step"], found.value, found.other)
        for kind, judge in KINDS.items()
        for place, found in judge(records).items()
    ]


def first_alarms(records: Sequence[Record]) -> list[Alarm]:
    """Each fault of a whole training once per place, when it was first seen."""
    seen: dict[tuple[str, str], Alarm] = {}
    for end in range(1, len(records) + 1):
        for alarm in alarms_at(records[:end]):
            seen.setdefault((alarm.kind, alarm.place), alarm)
    return list(seen.values())


def constant_weights(records: Sequence[Record]) -> Found:
    """Layers whose weights are all equal, so that all units compute the same and get the same gradient.

    One such layer at the first step is a usual start of an output layer or of a residual branch; all layers are not.
    """

    def is_constant(layer: Mapping[str, float]) -> bool:
        return layer["weight_var"] == 0 and layer["units"] > 1

    first = records[-1]["layers"]
    if len(records) == 1 and len(first) > 1 and all(map(is_constant, first.values())):
        return {name: Finding(0.0) for name in first}
    return sustained(records, "weight_var", lambda layer: is_constant(layer) and layer.get("update", math.nan) == 0)


def dead_units(records: Sequence[Record]) -> Found:
    """Layers of which all units are 0 for all samples, or most of them in a training that learns nothing.

    A layer without a unit that is on passes no gradient, at any step. If it were on for a share p of all samples, it
    would be off for all n of the probe by chance in (1 - p)^n: of 32 samples, p < 9 % with 95 % confidence. Where units
    are left, gradients pass, and the fault is only that the loss does not fall, which takes DEAD_FROM steps to see.
    """
    if records[-1]["samples"] < MIN_SAMPLES or has_learnt(records):
        return {}
    constant = constant_weights(records)
    is_early = records[-1]["step"] < DEAD_FROM
    found = sustained(records, "dead", lambda layer: layer["dead"] == 1 if is_early else layer["dead"] > DEAD)
    return {} if constant else found  # Weights of zero make outputs of zero.


def has_learnt(records: Sequence[Record]) -> bool:
    """Whether the loss on the probe is below the first one by LEARNT of it; False for the losses of a game."""
    first, newest = losses_of(records[0]), losses_of(records[-1])
    if len(first) != 1:
        return False
    ((role, start),) = first.items()
    return start - newest.get(role, math.nan) > LEARNT * abs(start)


def saturated_units(records: Sequence[Record]) -> Found:
    """Hidden layers in the flat parts of their activation.

    The output layer may be there, as a probability near 0 or 1 is what it should learn. Where g' is 0 or 1 everywhere,
    as for ReLU, the share of flat activations is that of the zeros, which `dead_units` judges.
    """

    def holds(layer: Mapping[str, float]) -> bool:
        return layer["flat"] >= SATURATED and abs(layer["flat"] + layer["slope2"] - 1) > 1e-6

    outputs = {names[-1] for names in layers_of_roles(records[-1]).values() if names}
    return {name: found for name, found in sustained(records, "flat", holds).items() if name not in outputs}


def vanishing_gradients(records: Sequence[Record]) -> Found:
    """The first layer of a role, if ‖δ‖ of the first quarter is far smaller than that of the output layer.

    One layer alone is not judged: a residual branch may have a small gradient and do no harm.
    """
    if constant_weights(records) or sustained(records, "dead", lambda layer: layer["dead"] >= BLOCKED):
        return {}  # The cause of a gradient of 0; dead_units reports it.
    return first_layers(records, lambda ratio: ratio < VANISHED)


def exploding_gradients(records: Sequence[Record]) -> Found:
    """The first layer of a role, if ‖δ‖ of the first quarter is far larger than that of the output layer."""
    return first_layers(records, lambda ratio: ratio > EXPLODED)


def first_layers(records: Sequence[Record], holds: Callable[[float], bool]) -> Found:
    """The first layer of each role, if a condition on ‖δ‖ of the first quarter over that of the last layer lasts."""
    found: Found = {}
    for role in layers_of_roles(records[-1]):
        ratios = [gradient_ratios(record, role) for record in records[-SUSTAINED:]]
        if len(ratios) == SUSTAINED and all(one and all(map(holds, first_quarter(one))) for one in ratios):
            first, *_, last = ratios[-1]
            found[first] = Finding(ratios[-1][first], last)
    return found


def first_quarter(ratios: Mapping[str, float]) -> list[float]:
    """The values of the first quarter of the layers, at least of one."""
    return list(ratios.values())[: max(len(ratios) // 4, 1)]


def gradient_ratios(record: Record, role: str) -> dict[str, float]:
    """‖δ‖ of each layer of a role over that of its last one; empty if that one has no gradient."""
    deltas = {name: record["layers"][name]["delta"] for name in layers_of_roles(record).get(role, ())}
    deltas = {name: value for name, value in deltas.items() if math.isfinite(value)}
    last = list(deltas.values())[-1] if deltas else 0.0
    return {name: value / last for name, value in deltas.items()} if last > 0 else {}


def small_updates(records: Sequence[Record]) -> Found:
    """Roles of which no layer has ever changed by a millionth of its size in a step.

    It is not judged layer by layer or late: a schedule that ends at a rate of 0 makes small updates.
    """
    if records[-1]["step"] < SMALL_FROM or constant_weights(records):
        return {}
    found: Found = {}
    for role in layers_of_roles(records[-1]):
        largest = largest_update(records[-1], role)
        if largest < SMALL_UPDATE:
            largest = max(largest_update(record, role) for record in records)
            found |= {role: Finding(largest)} if largest < SMALL_UPDATE else {}
    return found


def largest_update(record: Record, role: str) -> float:
    """The largest ‖ΔW‖/‖W‖ of a role's layers; infinity if none was measured."""
    updates = [record["layers"][name].get("update", math.nan) for name in layers_of_roles(record).get(role, ())]
    return max((update for update in updates if math.isfinite(update)), default=math.inf)


def large_updates(records: Sequence[Record]) -> Found:
    """Layers that change by a tenth of their size in each step, or many times their size in one."""
    newest = records[-1]
    found = {
        name: Finding(layer["update"])
        for name, layer in newest["layers"].items()
        if layer.get("update", math.nan) > REPLACED and not started_at_zero(records[0], name)
    }
    if len(records) >= SUSTAINED and records[-SUSTAINED]["step"] >= LARGE_FROM:
        found |= sustained(records, "update", lambda layer: layer.get("update", math.nan) > LARGE_UPDATE)
    return found


def started_at_zero(first: Record, name: str) -> bool:
    """Whether a layer's weights were 0 at the first measured step, where `update` is 0 by definition."""
    layer = first["layers"].get(name, {})
    return layer.get("weight_var") == 0 and layer.get("update") == 0


def still_loss(records: Sequence[Record]) -> Found:
    """The loss on the probe, if it is what it was at the beginning.

    Only a task with one loss is judged: the losses of a game may stand still in its equilibrium.
    """
    if records[-1]["step"] < STILL_FROM or len(losses_of(records[-1])) != 1:
        return {}
    values = [value for record in records for value in losses_of(record).values()]
    change = max(abs(value - values[0]) for value in values)
    if not change <= STILL * abs(values[0]):
        return {}
    return {role: Finding(change / abs(values[0]) if values[0] else 0.0) for role in losses_of(records[-1])}


def diverging_loss(records: Sequence[Record]) -> Found:
    """The loss on the probe, if it is many times what it was at the beginning, or not finite."""
    first = losses_of(records[0])
    if len(first) != 1 or len(records) < SUSTAINED:
        return {}
    ((role, start),) = first.items()
    recent = [losses_of(record).get(role, math.nan) for record in records[-SUSTAINED:]]
    if start > 0 and all(not value <= GROWN * start for value in recent):
        return {role: Finding(recent[-1] / start)}
    return {}


def sustained(records: Sequence[Record], quantity: str, holds: Callable[[Mapping[str, float]], bool]) -> Found:
    """The layers for which a condition holds at the last measured steps, with the newest value of the quantity."""
    recent = records[-SUSTAINED:]
    if len(recent) < SUSTAINED:
        return {}
    return {
        name: Finding(layer[quantity])
        for name, layer in recent[-1]["layers"].items()
        if all(name in record["layers"] and holds(record["layers"][name]) for record in recent)
    }


def losses_of(record: Record) -> Mapping[str, float]:
    """Role to its loss on the probe; empty in records of an earlier version."""
    losses: Mapping[str, float] = record.get("losses", {})
    return losses


def layers_of_roles(record: Record) -> dict[str, list[str]]:
    """Role to the names of its layers, from the input to the output."""
    roles = list(losses_of(record)) or [""]
    if len(roles) == 1:
        return {roles[0]: list(record["layers"])}
    return {role: [name for name in record["layers"] if name.startswith(f"{role}.")] for role in roles}


KINDS: Mapping[str, Callable[[Sequence[Record]], Found]] = {
    "constant_weights": constant_weights,
    "dead_units": dead_units,
    "saturated_units": saturated_units,
    "vanishing_gradients": vanishing_gradients,
    "exploding_gradients": exploding_gradients,
    "small_updates": small_updates,
    "large_updates": large_updates,
    "still_loss": still_loss,
    "diverging_loss": diverging_loss,
}
