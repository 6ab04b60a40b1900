"""Tab completion: from the words typed so far to those that may follow. Imports neither torch, Hydra nor rich."""
