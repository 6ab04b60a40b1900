"""What is printed at the end of a training: the results, where they are, and what to type next."""

from collections.abc import Mapping

from dltool.build.parts import Parts
from dltool.core.messages import in_notebook
from dltool.core.numerals import counted, numeral
from dltool.core.printable import printable
from dltool.core.safe_read import read_text
from dltool.core.shell import quoted
from dltool.engine.baselines import measure_baselines
from dltool.engine.checkpoint import saved_metrics
from dltool.engine.trainer import Trainer
from dltool.observers.skipped_files import NAME as SKIPPED
from dltool.report.write import REPORT
from dltool.runs.folder import RunFolder
from dltool.tasks.uses import generates
from dltool.trust.sources import trust_flags, trust_words

CURVES = "curves.png"

Rows = list[tuple[str, str]]


def print_summary(parts: Parts, trainer: Trainer, run: RunFolder) -> None:
    """Print the summary: results in a box, then the commands, each on a line of its own that can be copied whole."""
    from rich import box
    from rich.table import Table

    from dltool.core.console import Console

    rows = results(parts, trainer, run)
    commands = next_calls(trainer, run) if in_notebook() else next_commands(parts, trainer, run)
    table = Table(box=box.ROUNDED, show_header=False, title=f"{parts.title}: finished", title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(100, *(len(name) + len(value) + 20 for name, value in rows)))
    console.print(table, markup=False)
    for name, text in commands:
        print(f"{name:<10} {text}")


def results(parts: Parts, trainer: Trainer, run: RunFolder) -> Rows:
    """The metrics of held-out data, of the weights that were tested, and how the training went."""
    settings, progress = trainer.settings, trainer.progress
    rows, remarks = measured_rows(parts, tested_metrics(trainer))
    if trainer.tested:
        views = f", averaged over {', '.join(settings.test_views)}" if settings.test_views else ""
        rows.append(("tested", f"{trainer.tested} (the {settings.test} weights{views})"))
    if any(name == "test/accuracy" for name, _ in rows) and (baseline := parts.dataset.baseline(["test"])):
        rows.append(("baseline", baseline))
    if best := best_value(parts, trainer):
        rows.append(("best", best))
    rows += [("remark", remark) for remark in (*parts.task.remarks, *remarks)]
    if settings.overfit_batches is not None:
        rows.append(("overfit", overfit_summary(trainer)))
    if (average := trainer.average) is not None:
        none = "none was taken: the training ended before trainer.average.start; these are the weights themselves"
        updates = f"{average.settings.kind}, {counted(average.num_updates, 'update')}"
        rows.append(("average", updates if average.num_updates else none))
    rows.append(("length", f"{counted(progress.step, 'step')}, {counted(progress.epoch, 'epoch')}"))
    if (skipped := run.path / SKIPPED).exists():
        rows.append(("skipped", f"{counted(len(read_text(skipped).splitlines()), 'file')}, see {SKIPPED}"))
    if trainer.stop_reason:
        rows.append(("stopped by", trainer.stop_reason))
    status = run.read_status()
    seconds, speed = status["seconds"]["total"], status["samples_per_second"]
    return [*rows, ("time", f"{seconds:.1f} s, {speed:,.0f} {progress.unit}/s while training")]


def measured_rows(parts: Parts, metrics: Mapping[str, float]) -> tuple[Rows, list[str]]:
    """The metrics of held-out data, each with those of forecasts without a model, and what these forecast."""
    dataset = parts.dataset
    held_out = [name for name in ("val", "test") if name in dataset.sizes]
    baselines = {split: measure_baselines(parts.task, dataset, [split]) for split in held_out}
    rows = []
    for name, value in metrics.items():
        if is_result(name):
            split, _, metric = name.partition("/")
            beside = baselines[split].beside(metric) if split in baselines else ""
            rows.append((name, f"{numeral(value)}   ({beside})" if beside else numeral(value)))
    return rows, list(dict.fromkeys(remark for measured in baselines.values() for remark in measured.remarks))


def next_commands(parts: Parts, trainer: Trainer, run: RunFolder) -> Rows:
    """Where the results are, and what to type next."""
    path = run.path
    rows = [("run", quoted(path))]
    if (path / "plots" / CURVES).exists():
        rows.append(("curves", quoted(path / "plots" / CURVES)))
    if others := sorted({file.name for file in (path / "plots").glob("*.*")} - {CURVES}):
        rows.append(("figures", f"{quoted(path / 'plots')}: {printable(', '.join(others))}"))
    if (path / REPORT).exists():
        rows.append(("report", quoted(path / REPORT)))
    if next_step := parts.task.suggestion(parts.spec):
        command = f"dltool {next_step.verb} {trust_flags()}{quoted(path)} {next_step.arguments}"
        rows.append((next_step.title, command.rstrip()))
    rows.append(("longer", f"dltool resume {trust_flags()}{quoted(path, *longer(trainer))}"))
    return [*rows, ("again", f"dltool train {trust_flags()}--from {quoted(path)} seed=1")]


def next_calls(trainer: Trainer, run: RunFolder) -> Rows:
    """The same for a notebook: calls of Python."""
    name = repr(str(run.path))
    words = trust_words()[1::2]
    trust = f", trust={words}" if words else ""
    rows = [("run", f"run = dltool.load({name}{trust})"), ("figures", "run.plot()"), ("page", "run.report()")]
    changed = f", {longer(trainer)}" if longer(trainer) else ""
    rows.append(("longer", f"dltool.resume({name}{changed}{trust})"))
    return [*rows, ("again", f"dltool.train(['seed=1'], source={name}{trust})")]


def tested_metrics(trainer: Trainer) -> dict[str, float]:
    """The latest metrics; those of the validation split are of the checkpoint that was tested, if that is not the last.

    They were measured when it was saved.
    """
    latest = trainer.progress.metrics
    path = trainer.checkpoints.best() if trainer.settings.test == "best" else None
    if path is None or path.name != trainer.tested:
        return latest
    then = saved_metrics(path)
    return {name: then.get(name, value) if name.startswith("val/") else value for name, value in latest.items()}


def best_value(parts: Parts, trainer: Trainer) -> str:
    """The best and the last value of a generative model's metric, which can differ much; "" for other tasks."""
    store = trainer.checkpoints
    path, metric = store.best(), store.metric
    if path is None or path.name == trainer.tested or not generates(parts.task):
        return ""
    value, last = saved_metrics(path).get(str(metric)), trainer.progress.metrics.get(str(metric))
    if value is None or last is None:
        return ""
    return f"{metric} {numeral(value)} at {path.name}, {numeral(last)} at the end; --checkpoint best uses the former"


def overfit_summary(trainer: Trainer) -> str:
    """Whether a training on the same few batches memorized them, and likely causes if not."""
    loss = trainer.progress.metrics.get("train/loss", float("nan"))
    if trainer.stopped_by == "target":
        return f"memorized in {counted(trainer.progress.step, 'step')}: model, loss and optimizer work together"
    return (
        f"NOT memorized, train/loss is {loss:.4g}: check for labels that do not match their inputs, an unsuitable "
        "loss, a layer without gradient, an optim.lr that is too small or too large, a model that is too small; "
        "or for dropout, penalties, label smoothing or a loss that cannot become so small"
    )


def longer(trainer: Trainer) -> list[str]:
    """The override with which a resume continues, `trainer.epochs=60` or `stop.target=null`; or none."""
    settings, stopped_by = trainer.settings, trainer.stopped_by
    if stopped_by in trainer.stopping.rules:
        return [trainer.stopping.rules[stopped_by].setting]
    if stopped_by == trainer.progress.stop_request:
        return []
    if settings.epochs is not None and stopped_by != "steps":
        return [f"trainer.epochs={2 * max(settings.epochs, trainer.progress.epoch)}"]
    return [f"trainer.steps={2 * trainer.progress.step}"]


def is_result(metric: str) -> bool:
    """Whether the summary shows a metric: those of held-out data."""
    return metric.split("/")[0] in ("val", "test")
