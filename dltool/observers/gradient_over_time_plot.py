"""A picture of the vanishing gradient: how much of it reaches a position, by its distance from the end."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.safe_path import SafePath
from dltool.core.spec import PAD
from dltool.engine.observer import Observer, Progress
from dltool.figures.drawing import MARKERS_UP_TO, STYLE, Target, make_figure, save_figure
from dltool.figures.fonts import fonts_for
from dltool.introspection.gradient_over_time import by_distance, gradient_over_time
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Task

NUM_SEQUENCES = 64
BEFORE, AFTER = "before the training", "after it"
COLORS = ("#a6a6a6", "#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd")


class GradientOverTimePlot(Observer):
    """Draws plots/gradient_over_time.png when the training of a recurrent network with one output a sequence ends.

    It costs two backward passes of at most 64 sequences, before and after the training.

    Args:
        run_dir: The run folder.
        title: What was trained, such as "rnn on digits_rows".
        batch: Gives the sequences to look at, without augmentation.
        padded: Whether they are tokens of which PAD fills the shorter ones.
    """

    def __init__(self, run_dir: Path, title: str, batch: Callable[[], Batch], *, padded: bool = False) -> None:
        self.path = SafePath(run_dir) / "plots" / "gradient_over_time.png"
        self.title = title
        self.batch = batch
        self.padded = padded
        self._task: SupervisedTask | None = None
        self._curves: dict[str, Tensor] = {}

    def on_start(self, task: Task, progress: Progress) -> None:
        if not isinstance(task, SupervisedTask) or not is_recurrent(task.model):
            return
        self._task = task
        if progress.step == 0:
            self._measure(task, BEFORE)

    def on_end(self) -> None:
        if self._task is not None and self._measure(self._task, AFTER):
            draw_gradient_over_time(self._curves, self.path, self.title)

    def _measure(self, task: SupervisedTask, name: str) -> bool:
        batch = self.batch()
        inputs, targets = batch.inputs[:NUM_SEQUENCES], batch.targets[:NUM_SEQUENCES]
        mask = inputs != PAD if self.padded else None

        def loss(inputs: Tensor) -> Tensor:
            return task.loss(Batch(inputs, targets, len(targets))).mean

        try:
            self._curves[name] = gradient_over_time(task.model, loss, inputs, mask).cpu()
        except Exception as error:  # A picture that cannot be drawn must not end a run.
            warnings.warn(f"{self.path} could not be drawn: {error}", stacklevel=2)
        return name in self._curves


def is_recurrent(model: nn.Module) -> bool:
    return any(isinstance(module, nn.RNNBase) for module in model.modules())


def draw_gradient_over_time(curves: Mapping[str, Tensor], path: Target, title: str = "") -> None:
    """Draw the median over the sequences by the distance from their end, and what half of them lie in.

    Each curve is relative to its own median at the last position, so that what is seen is how it falls. Gradients that
    are zero or no number are left out.

    Args:
        curves: Name to norms `(B, T)`, NaN at padding; see dltool.introspection.gradient_over_time.
        path: Of the PNG; its folder is made.
        title: Above them.
    """
    import matplotlib
    from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

    colors = dict(zip(curves, COLORS if BEFORE in curves else COLORS[1:], strict=False))
    with fonts_for(title, *curves), matplotlib.rc_context(STYLE):
        figure = make_figure(7.2, 4.6)
        axes = figure.add_subplot()
        for name, norms in curves.items():
            aligned = by_distance(norms.double())
            aligned = aligned.masked_fill(~(aligned > 0) | aligned.isinf(), float("nan"))
            low, middle, high = aligned.nanquantile(aligned.new_tensor([0.25, 0.5, 0.75]), dim=0)
            reference = middle[~middle.isnan()][:1]
            if len(reference) == 0:
                continue
            low, middle, high = ((curve / reference).numpy() for curve in (low, middle, high))
            steps = range(len(middle))
            marker = "o" if len(middle) <= MARKERS_UP_TO else None
            axes.plot(steps, middle, color=colors[name], label=name, marker=marker, markersize=4)
            axes.fill_between(steps, low, high, color=colors[name], alpha=0.15, linewidth=0)
        if axes.lines:
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        else:
            axes.text(0.5, 0.5, "no gradient reaches any position", transform=axes.transAxes, ha="center")
        axes.invert_xaxis()
        axes.set_xlabel("steps before the last one")
        axes.set_ylabel("gradient of the loss\nrelative to that at the last step")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.suptitle(title, fontsize=14)
        save_figure(figure, path)
