"""dltool from Python: what the command line does, as functions, for notebooks and scripts.

import dltool

run = dltool.train(["model=lenet", "trainer.epochs=5"])
run.metrics["test/accuracy"]
run.predict("seven.png").top(3)
run.plot()
dltool.load("outputs/2026-01-31/12-00-00_lenet_digits", checkpoint="best").evaluate(split="val").metrics
"""

from dltool.api.run import Run
from dltool.api.training import load, resume, train

__all__ = ["Run", "load", "resume", "train"]
