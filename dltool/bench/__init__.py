"""How fast a training is, beside a loop written by hand and what others use."""
