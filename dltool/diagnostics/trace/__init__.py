"""A training step in numbers, and the computation of single layers by their formulas."""
