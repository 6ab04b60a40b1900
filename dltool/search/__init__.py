"""Many trainings: sweeps, tuning, reproduction."""
