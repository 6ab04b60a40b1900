"""Alarms as text: what was measured, what it means, and which override to try."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dltool.core.shell import setting
from dltool.diagnostics.alarms import LARGE_UPDATE, SMALL_UPDATE, Alarm

USUAL_UPDATE = 1e-3
AT_START = 2  # A fault at these steps is there from the beginning, and not an effect of the learning rate.
NUM_REMEDIES = 3
SQUASHING = ("sigmoid", "tanh", "scaled_tanh", "softmax")
NAMES = {
    "constant_weights": "weights that are all equal",
    "dead_units": "dead units",
    "saturated_units": "saturated units",
    "vanishing_gradients": "vanishing gradients",
    "exploding_gradients": "exploding gradients",
    "small_updates": "updates that are too small",
    "large_updates": "updates that are too large",
    "still_loss": "a loss that does not move",
    "diverging_loss": "a loss that diverges",
}


class Settings(Protocol):
    """The config of the training.

    Attributes:
        tree: Every key with its value.
    """

    @property
    def tree(self) -> Mapping[str, Any]: ...

    def accepts(self, key: str, value: Any) -> bool:
        """Whether the training could have this value of this key."""
        ...


def warning_of(alarms: Sequence[Alarm], settings: Settings, num_samples: int, update: float = math.nan) -> str:
    """One line for the alarms of one kind at one step.

    Args:
        alarms: At least one; the text is about the worst.
        settings: They decide which remedies can be tried.
        num_samples: Of the probe.
        update: The largest ‖ΔW‖/‖W‖ of the step, from which a better learning rate follows.
    """
    worst = worst_of(alarms)
    text = f"step {worst.step:,}: {describe(worst, others(len(alarms) - 1), num_samples)}"
    tried = remedies(worst, settings, update)
    return f"{text}; try {alternatives(tried)}" if tried else text


def rest_of(kind: str, alarms: Sequence[Alarm]) -> str:
    """One line for the places at which a fault of a kind appeared after its first warning."""
    places = [f"{alarm.place} (step {alarm.step:,})" for alarm in alarms]
    more = f" and {len(places) - 6} more" if len(places) > 6 else ""
    return f"{NAMES[kind]} later also in {', '.join(places[:6])}{more}"


def worst_of(alarms: Sequence[Alarm]) -> Alarm:
    """The alarm with the most extreme value."""
    small = alarms[0].kind in ("vanishing_gradients", "small_updates", "still_loss")
    return min(alarms, key=lambda alarm: alarm.value if small else -alarm.value)


def others(count: int) -> str:
    return "" if count == 0 else f" (and {count} other layer{'s' if count > 1 else ''})"


def describe(alarm: Alarm, more: str, num_samples: int) -> str:
    """What was measured and what it means."""
    place, value = alarm.place, alarm.value
    match alarm.kind:
        case "constant_weights":
            return f"all weights of {place}{more} are equal: its units compute the same, and get the same gradient"
        case "dead_units":
            return f"in {place}{more} {value:.0%} of the units are 0 for all {num_samples} samples (dead ReLU)"
        case "saturated_units":
            return f"in {place}{more} {value:.0%} of the activations are saturated, |g'| < 0.01, and pass no gradient"
        case "vanishing_gradients":
            ratio = f"{value:.0e} of that at {alarm.other}"
            return f"the gradient ‖δ‖ at {place}{more} is {ratio}: it vanishes, and the layer hardly learns"
        case "exploding_gradients":
            return f"the gradient ‖δ‖ at {place}{more} is {value:.0e} times that at {alarm.other}: it explodes"
        case "small_updates":
            return f"no step changes a layer by more than {value:.0e} of its size, so nothing is learned"
        case "large_updates":
            return f"a step changes {place}{more} by {value:.2g} times its size, and undoes what was learned"
        case "still_loss":
            return f"the loss on {num_samples} fixed samples is within {max(value, 1e-9):.0e} of the first one"
        case _:
            grown = f"{value:.2g} times the first one" if math.isfinite(value) else "not finite"
            return f"the loss on {num_samples} fixed samples is {grown}: the training diverges"


def remedies(alarm: Alarm, settings: Settings, update: float = math.nan) -> list[str]:
    """The overrides to try, in the order of their promise; only those that this training could have."""
    found = []
    for candidate in candidates(alarm, settings, update):
        changed = [(key, value) for key, value in candidate if current(settings, key) != value]
        if changed and all(settings.accepts(key, value) for key, value in changed):
            found.append(" ".join(setting(key, value) for key, value in changed))
    return list(dict.fromkeys(found))[:NUM_REMEDIES]


Candidate = tuple[tuple[str, Any], ...]  # Overrides that belong together.


def candidates(alarm: Alarm, settings: Settings, update: float) -> list[Candidate]:
    """What may help against a kind of fault."""
    squashes = current(settings, "model.activation") in SQUASHING
    rectify: list[Candidate] = [(("model.activation", "relu"), ("model.init", "kaiming_uniform"))]
    initialize: list[Candidate] = [(("model.init", "xavier_uniform" if squashes else "kaiming_uniform"),)]
    normalize: list[Candidate] = [(("model.norm", "batch"),)]
    leak: list[Candidate] = [(("model.activation", "leaky_relu"),)]
    clip: list[Candidate] = [(("trainer.clip_norm", 1),)]
    standardize: list[Candidate] = [(("data.scaling", "standardize"),)]
    slower = rate_times(settings, min(0.1, USUAL_UPDATE / update) if update > LARGE_UPDATE else 0.1)
    match alarm.kind:
        case "constant_weights":
            return [(("model.init", "default"),), *initialize]
        case "dead_units":
            return [*initialize, *leak, *slower] if alarm.step <= AT_START else [*slower, *initialize, *leak]
        case "saturated_units":
            lasting = [*initialize, *normalize, *rectify]
            return [*standardize, *lasting] if alarm.step <= AT_START else [*slower, *lasting]
        case "vanishing_gradients":
            return [*(rectify if squashes else initialize), *normalize]
        case "exploding_gradients":
            return [*initialize, *normalize, *clip, *slower]
        case "small_updates":
            return rate_times(settings, USUAL_UPDATE / alarm.value if alarm.value else 1000)
        case "large_updates":
            return rate_times(settings, USUAL_UPDATE / alarm.value) + clip
        case "still_loss":
            faster = rate_times(settings, USUAL_UPDATE / update if 0 < update < SMALL_UPDATE else 10)
            return [*faster, (("trainer.overfit_batches", 1),)]
        case _:
            return [*slower, *clip]


def rate_times(settings: Settings, factor: float) -> list[Candidate]:
    """The learning rate times a factor, to one digit."""
    rate = current(settings, "optim.lr")
    if not isinstance(rate, float | int) or not rate or not math.isfinite(factor):
        return []
    return [(("optim.lr", float(f"{rate * factor:.0e}")),)]


def current(settings: Settings, key: str) -> Any:
    """The value of a key; None if the training has no such key."""
    group, _, name = key.partition(".")
    return settings.tree.get(group, {}).get(name)


def alternatives(texts: Sequence[str]) -> str:
    """One, two or several alternatives as text."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
