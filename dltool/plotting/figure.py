"""The interface of a figure of a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dltool.plotting.subject import Subject

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure
    from PIL.Image import Image

# Name of a file without suffix to the function that draws it: a figure, or the frames of a film; None for nothing.
Drawings = Mapping[str, "Callable[[], Figure | Sequence[Image] | None]"]


@dataclass(frozen=True)
class Options:
    """How figures are computed.

    Attributes:
        grid: Nodes along each axis of a map; None for the figure's own number.
        analogies: Words (b, a, c) whose offset b - a + c is drawn; empty for those of the run.
    """

    grid: int | None = None
    analogies: Sequence[tuple[str, ...]] = ()


class RunFigure(Protocol):
    """A figure of a run's diagnostics.

    Attributes:
        name: For `dltool plot --figure`.
        summary: What it shows, in a line.
        overlays: Which runs can be drawn in one picture: "paths" for those of one model, loss and data, "models" for
            those of one data, "one key" for those that differ in one key and in repetitions, "layers" for networks of
            several layers, "any" for all; None for a single run.
    """

    name: str
    summary: str

    @property
    def overlays(self) -> str | None: ...

    def lacks(self, subject: Subject) -> str | None:
        """Why the run has no such figure: what the model, the data or the diagnostics lack; None if it has one."""
        ...

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        """The figure's files.

        Args:
            subjects: Runs that lack nothing; a single one unless the figure overlays several.
            options: See Options.
        """
        ...
