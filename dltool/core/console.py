"""rich's console for texts that may come from somebody else."""

from collections.abc import Iterable

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

from dltool.core.printable import printable_lines


class Console(rich.console.Console):
    """Escapes control characters in texts; rich itself removes only some of them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable; those with rich's own control sequences are left as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)
