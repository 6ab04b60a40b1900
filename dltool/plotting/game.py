"""The game of a GAN on data of one or two numbers: what D and G have learnt, over the plane or over a line."""

from collections.abc import Sequence

from dltool.diagnostics.store import read_points
from dltool.plotting.adversaries import PlottedGame
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.game_on_a_line import line_drawings
from dltool.plotting.game_over_a_plane import plane_drawings
from dltool.plotting.subject import Subject


class GameFigure:
    """D(x) in colour with data and samples, and where G maps a grid of z; for one number D, D* and the densities."""

    name = "game"
    summary = "a GAN's discriminator and samples over data of one or two numbers, and as a film of the training"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if subject.task.adversaries is None:
            return "it is not an unconditional GAN"
        if subject.spec.input_shape not in ((1,), (2,)) or not subject.preprocessing.input_names:
            return "its data are not one or two numbers"
        if read_points(subject.folder) is None:
            return "no training points were kept (diagnostics=default keeps them)"
        return None

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects
        draw = line_drawings if subject.spec.input_shape == (1,) else plane_drawings
        return draw(PlottedGame(subject), options)
