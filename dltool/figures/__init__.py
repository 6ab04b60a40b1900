"""Functions that draw figures from arrays."""
