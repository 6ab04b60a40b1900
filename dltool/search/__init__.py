"""What runs many trainings: benchmarks, sweeps, searches."""
