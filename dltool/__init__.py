"""dltool: train every classic deep-learning model from one shell line and a few lines of YAML."""

import time

__version__ = "0.1.0"

# A run's "first_step" and "total" seconds count from here, so that they include importing torch.
IMPORTED_AT = time.monotonic()
