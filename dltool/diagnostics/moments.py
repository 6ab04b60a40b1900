"""The steps that are measured."""

FIRST = frozenset({0, *(2**k for k in range(7))})  # 0, 1, 2, 4 … 64: most changes at the beginning.
NUM_MEASUREMENTS, NUM_WEIGHTS = 400, 64
PERIOD, FULL_BATCH = 50, 32


def layer_period(every_n_steps: int | str, batch_size: int, total_steps: int) -> int:
    """The steps between two measurements after the first ones.

    Args:
        every_n_steps: The requested period, or "auto": a measurement costs about as much as 0.7 steps of 64 samples,
            so that every 50th step it is less than 5 % of the time of a training of more than about 160 steps.
        batch_size: Samples in a training batch; a step of fewer than 32 is much shorter than a measurement.
        total_steps: The length of the training.
    """
    if not isinstance(every_n_steps, str):
        return every_n_steps
    period = PERIOD * max(1, -(-FULL_BATCH // batch_size))
    return max(period, -(-total_steps // NUM_MEASUREMENTS))


def weight_period(total_steps: int, num_kept: int = NUM_WEIGHTS) -> int:
    """The steps between two copies of the weights after the first ones, for about `num_kept` copies in all."""
    return max(1, -(-total_steps // max(num_kept - len(FIRST), 1)))


def is_due(step: int, period: int) -> bool:
    """Whether a step is measured, before it is taken."""
    return step in FIRST or step % period == 0
