"""The training loop, and what runs in it: updaters, evaluation, checkpoints, stopping rules."""
