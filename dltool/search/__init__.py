"""Many trainings: sweeps, tuning, reproduction; and how fast one is."""
