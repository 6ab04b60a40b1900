"""Training runs: start, resume, check, show."""
