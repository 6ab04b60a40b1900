"""Data given in the command: a few rows of numbers with their targets, to follow a calculation by hand."""

import torch

from dltool.core.errors import ConfigError
from dltool.data.arrays import RawData, Split
from dltool.data.table_data import TableData
from dltool.declarations.component import Source, register


@register("data", "example", into=TableData, inputs="vector", targets="numbers")
def example(
    _rng: torch.Generator,
    *,
    inputs: Source[list[list[float]]] = [[0.05, 0.1]],  # noqa: B006, read only.
    targets: Source[list[list[float]]] = [[0.01, 0.99]],  # noqa: B006, read only.
) -> RawData:
    """Rows of numbers and targets as they are, not scaled; all rows serve as train, val and test.

    The defaults are the well-known 2-2-2 example of backpropagation (Mazur 2015).

    Args:
        _rng: Not used.
        inputs: The rows, `(N, D)`.
        targets: The numbers to predict for each row, `(N, K)`.

    Raises:
        ConfigError: Rows differ in length, or their numbers differ.
    """
    for name, rows in (("inputs", inputs), ("targets", targets)):
        if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
            raise ConfigError(
                f"data.{name}={rows} is no table: rows of numbers, all of one length, are needed",
                f"'data.{name}=[[0,0],[0,1]]'",
            )
    if len(inputs) != len(targets):
        raise ConfigError(
            f"data.inputs has {len(inputs)} rows, but data.targets has {len(targets)}", "one row of targets per input"
        )
    x, y = torch.tensor(inputs, dtype=torch.float64), torch.tensor(targets, dtype=torch.float64)
    names = tuple(f"x{column + 1}" for column in range(x.shape[1]))
    return RawData(
        Split(x, y),
        None,
        None,
        "numbers",
        feature_names=names,
        target_dim=y.shape[1],
        standardize_targets=False,
        held_out=False,
        origin="example",
    )
