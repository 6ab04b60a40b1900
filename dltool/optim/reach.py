"""Whether a schedule gets to where it is going within the training: warm-ups and milestones beyond the end."""

from collections.abc import Mapping
from typing import Any

from dltool.core.shell import quoted, setting


def unreached(
    schedule: Mapping[str, Any], total_steps: int, total_epochs: int | None, num_evaluations: int | None
) -> str:
    """What of a schedule lies beyond the end of the training, with the override that changes it; empty if nothing does.

    Args:
        schedule: The config's `schedule`.
        total_steps: Steps of the training.
        total_epochs: Its epochs; None if its length is not given in epochs.
        num_evaluations: Of the validation split; None if unknown.
    """
    name, warmup = schedule["name"], schedule.get("warmup_steps", 0)
    # Step k of a linear warm-up, from 0, has the factor k / warmup; inverse_sqrt's has (k + 1) / warmup.
    if warmup > total_steps or (warmup == total_steps and name != "inverse_sqrt"):
        return past_warmup(schedule, total_steps)
    in_epochs = schedule.get("interval") == "epoch"
    if in_epochs and total_epochs is None:
        return ""
    unit = "epoch" if in_epochs else "step"
    total = total_epochs if in_epochs and total_epochs is not None else total_steps
    left = total - (-(-warmup * total // total_steps) if in_epochs else warmup)
    after = " after the warm-up" if warmup else ""
    training = f"the training has {left:,} {unit}{'s' * (left != 1)}{after}"
    late = milestones_beyond(schedule, left)
    if late:
        key, given = late
        interval = "" if in_epochs else ", and schedule.interval=epoch counts epochs"
        return (
            f"schedule={name} changes the learning rate only at {unit} {given}, but {training}: it stays constant; "
            f"a fraction of the training is a number below 1, as in {quoted(key)}{interval}"
        )
    if name == "cosine_restarts" and schedule["period"] >= 1 and schedule["period"] > left:
        return (
            f"the first period of schedule=cosine_restarts has {schedule['period']:g} {unit}s, but {training}: the "
            "learning rate does not reach its end; schedule.period=0.25 is a quarter of the training"
        )
    if name == "wsd" and schedule["decay"] >= 1 and schedule["decay"] > left:
        return (
            f"the decay of schedule=wsd has {schedule['decay']:g} {unit}s, but {training}: it is shortened to them; "
            "schedule.decay=0.2 is a fifth of the training"
        )
    if name == "plateau" and num_evaluations is not None and schedule["patience"] + 2 >= num_evaluations:
        return (
            f"schedule=plateau waits for {schedule['patience']} evaluations without improvement, but the training has "
            f"{num_evaluations}: the learning rate stays constant; schedule.patience={max(1, num_evaluations // 4)}"
        )
    return ""


def past_warmup(schedule: Mapping[str, Any], total_steps: int) -> str:
    name, warmup = schedule["name"], schedule["warmup_steps"]
    start = schedule.get("warmup_start", 0.0)
    last = total_steps / warmup if name == "inverse_sqrt" else start + (1 - start) * (total_steps - 1) / warmup
    shorter = max(1, total_steps // 10)
    return (
        f"the warm-up of schedule={name} takes {warmup:,} steps, but the training ends after {total_steps:,}, with a "
        f"learning rate of at most {100 * last:.2g} % of optim.lr; schedule.warmup_steps={shorter}, or train longer"
    )


def milestones_beyond(schedule: Mapping[str, Any], total: int) -> tuple[str, str] | None:
    """An override with milestones within the training, and the configured ones, if none of them is reached."""
    if schedule["name"] == "step" and schedule["step_size"] >= max(total, 1):
        return "schedule.step_size=0.25", f"{schedule['step_size']:g}"
    if schedule["name"] == "multistep" and (given := schedule["milestones"]) and min(given) >= max(total, 1):
        return setting("schedule.milestones", [0.5, 0.75]), ", ".join(f"{one:g}" for one in given)
    return None
