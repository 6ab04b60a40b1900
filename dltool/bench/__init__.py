"""Measures the speed of a training, compared with a hand-written loop and common alternatives."""
