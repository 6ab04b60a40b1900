"""Tab completion: from the words typed so far to the possible next ones. Imports neither torch, Hydra nor rich."""
