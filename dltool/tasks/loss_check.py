"""Whether a loss, perhaps a user's own, returns what the updater needs."""

from collections.abc import Callable

from dltool.core.batch import Batch
from dltool.core.errors import RunError
from dltool.core.place import place_of_function
from dltool.tasks.task import Loss


def check_loss(evaluated: object, loss: Callable[[Batch], Loss]) -> None:
    """Raises RunError if the result of a loss is not a Loss; with the file and line of the loss."""
    if not isinstance(evaluated, Loss):
        raise RunError(
            f"{place_of_function(loss)}: this loss returns a {type(evaluated).__name__}, not a Loss",
            "return Loss(mean, count, logs), from dltool.tasks.task",
        )
