"""A run as Python has it: its uses, its figures, its page, and how a notebook shows it."""

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dltool.api.card import card
from dltool.api.notebook import messages_in_place, with_messages_in_place
from dltool.api.page import Page
from dltool.api.pictures import Pictures
from dltool.api.trace import Trace
from dltool.cli.plot import CURVES
from dltool.cli.runs.plot import write_curves
from dltool.core.language import Language, in_language
from dltool.core.numerals import numeral
from dltool.diagnostics.trace.calls import Choice
from dltool.inference.run import Run as RunOfACommand
from dltool.plotting.catalog import FIGURES
from dltool.plotting.figure import Options
from dltool.plotting.runs import availability, load_subjects, plot
from dltool.report.page import page
from dltool.report.run_document import run_document, title_of
from dltool.report.write import REPORT, write
from dltool.runs.catalog import RunRecord, read_run
from dltool.training.trace import trace_run


@with_messages_in_place(
    "predict", "evaluate", "translate", "sample", "generate", "reconstruct", "draw_attention", "export"
)
class Run(RunOfACommand):
    """A finished or partial training, read from its folder, which is not changed.

        run = dltool.load("outputs/2026-01-31/12-00-00_lenet_digits")
        run.predict("photo.png").values
        run.evaluate().metrics
        run.plot("boundary")
        run.report()

    See LoadedRun for the arguments, and for its config, its task and its model. As the last line of a notebook's cell
    it is shown with its results and curves.
    """

    def __repr__(self) -> str:
        record = self.record
        name = record.main_metric[0] if record.main_metric else ""
        value = f", {name} {numeral(record.metrics[name])}" if name in record.metrics else ""
        return f"<dltool.Run {self.path}: {self.title}, {record.state}{value}>"

    def _repr_html_(self) -> str:
        return card(self.record)

    @property
    def record(self) -> RunRecord:
        """The run as `dltool runs` lists it, as it is now."""
        return read_run(self.path)

    def plot(
        self,
        *figures: str,
        grid: int | None = None,
        analogy: Sequence[tuple[str, str, str]] = (),
        metric: Sequence[str] = (),
        x: Literal["step", "epoch"] | None = None,
        format: Literal["png", "svg", "pdf"] = "png",
        lang: Language | None = None,
    ) -> Pictures:
        """Draw the figures of `dltool plot`, with the last weights; nothing is written, see Pictures.save.

        Args:
            figures: Names, as `dltool plot RUN --figure list` shows them; none are the curves and all quick figures
                that the run's diagnostics allow.
            grid: Nodes along each axis of maps.
            analogy: Of the figure "words": (b, a, c) draws b - a + c and its nearest words.
            metric: Of the figure "curves": the metrics, one panel each.
            x: Of the figure "curves": the axis; None is the epoch, if one was finished.
            format: Films are GIFs in any case.
            lang: The language of the figures; None is that of the locale.

        Raises:
            ConfigError: There is no such figure or metric, or the run lacks something for it.
        """
        with tempfile.TemporaryDirectory() as folder, in_language(lang), messages_in_place():
            target = Path(folder)
            written = []
            if not figures or CURVES in figures:
                written.append(f"{CURVES}.{format}")
                request = Namespace(metric=[*metric], x=x, group=False)
                write_curves(request, [self.record], target / written[0])
            if others := [name for name in figures if name != CURVES] or ([] if figures else self.quick_figures()):
                written += plot(
                    load_subjects([self.record]), target, others, kind=format, options=Options(grid, analogy)
                )
            return Pictures({name: (target / name).read_bytes() for name in written})

    def quick_figures(self) -> list[str]:
        """The figures that the run's diagnostics allow, without those that take long."""
        quick = [figure.name for figure in FIGURES]
        found = availability(load_subjects([self.record]))
        return [one.figure.name for one in found if one.reason is None and one.figure.name in quick]

    def report(self, path: str | Path | None = None, *, save: bool = False, lang: Language | None = None) -> Page:
        """The page of the run, as `dltool report` writes it; a notebook shows it in a frame.

        Args:
            path: A file for the page; None writes none.
            save: Write it as report.html into the run folder.
            lang: The language of the page; None is that of the locale.
        """
        with in_language(lang):
            record = self.record
            title, content = title_of(record), page(run_document(record), self.path)
        if save:
            write(content, self.folder.files / REPORT)
        made = Page(title, content, self.path / REPORT if save else None)
        if path is not None:
            made.save(path)
        return made

    def trace(
        self,
        *,
        sample: int = 0,
        steps: int = 1,
        checkpoint: str = "last",
        overrides: Sequence[str] = (),
        position: int | None = None,
        head: int | None = None,
        place: tuple[int, int] | None = None,
        channel: int | None = None,
        unit: int | None = None,
    ) -> Trace:
        """The next training steps of the trained network on one sample in numbers, as `dltool trace --run`.

        Args:
            sample: The training sample, from 0, not augmented.
            steps: Training steps on it.
            checkpoint: "last", "best" or a name such as "step-000680".
            overrides: The device, and the place of the same data.
            position: Of an attention's query, or the time step; None is the last.
            head: Of an attention; None is the first.
            place: Row and column in maps; None is the middle.
            channel: Of the maps; None is the first.
            unit: Of an LSTM or a GRU; None is the first.

        Raises:
            ConfigError: A step of this training has no such trace, or there is no such sample or place.
            DataError: The data has changed since the run began.
        """
        choice = Choice(position=position, head=head, place=place, channel=channel, unit=unit)
        with messages_in_place():
            return Trace(trace_run(self.folder, [*overrides], checkpoint, sample, steps, choice, warn=self.warn))
