"""Many trainings: sweeps, tuning, reproduction of results."""
