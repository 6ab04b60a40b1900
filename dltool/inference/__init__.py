"""Uses of a trained run: predictions, evaluations, samples, export of the model."""
