"""Traced steps, as text."""

from collections.abc import Iterator, Sequence

from dltool.cli.trace_lines import lines_of
from dltool.diagnostics.trace.step import StepTrace


class Trace:
    """The steps that `dltool trace` prints: shown as its lines, with the tensors of each step by number.

    Attributes:
        steps: The steps; see dltool.diagnostics.trace.step.StepTrace.
    """

    def __init__(self, steps: Sequence[StepTrace]) -> None:
        self.steps = tuple(steps)

    def __repr__(self) -> str:
        return "\n".join(line for step in self.steps for line in lines_of(step))

    def __getitem__(self, number: int) -> StepTrace:
        return self.steps[number]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[StepTrace]:
        return iter(self.steps)
