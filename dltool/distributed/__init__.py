"""Several processes that train one model together, with the result of one.

The batch of a step is divided into pieces (dltool.engine.pieces); each process computes some of them, and the gradients
are added up. `Team` has what they exchange, `members` starts the other processes of this machine. Nothing here wraps
the model: torch's DistributedDataParallel silently leaves gradients unreduced where a task calls another method of the
model than forward().
"""
