"""What a run is good for once it is trained: predictions, evaluations, a model to take elsewhere."""
