"""The observers of every training."""

from functools import partial

from dltool.build.observer import build_observer
from dltool.build.parts import Parts
from dltool.build.trainer import tests_rates
from dltool.config.tree import leaves
from dltool.declarations.construct import build_component
from dltool.engine.clock import Clock
from dltool.engine.monitored_metric import monitored_metric
from dltool.engine.observer import Observer, Progress, Watched
from dltool.figures.words import word
from dltool.observers.alarms import NUM_COMPARED, Alarms
from dltool.observers.augmented import AugmentedPlot
from dltool.observers.csv_log import CsvLog
from dltool.observers.diagnostics import Diagnostics
from dltool.observers.forecast_plot import ForecastPlot
from dltool.observers.gradient_over_time_plot import GradientOverTimePlot
from dltool.observers.jsonl import JsonlLog
from dltool.observers.latent_plane import LatentPlanePlot
from dltool.observers.layer_alarms import LayerAlarms
from dltool.observers.metric_plots import MetricPlots
from dltool.observers.network_plots import NetworkPlots
from dltool.observers.own import OwnObserver
from dltool.observers.plane_file import PlaneFile
from dltool.observers.plots import CurvesPlot
from dltool.observers.progress import ProgressBar
from dltool.observers.range_test import RangeTestPlot
from dltool.observers.report_page import ReportPage
from dltool.observers.samples import SamplesPlot
from dltool.observers.skipped_files import SkippedFiles
from dltool.observers.status_file import StatusFile
from dltool.observers.summary_file import SummaryFile
from dltool.observers.task_plots import TaskPlots
from dltool.observers.text_samples import TextSamples
from dltool.observers.tracker import make_trackers
from dltool.observers.trivial import TrivialComparison
from dltool.observers.undefined import UndefinedMetrics
from dltool.observers.unfinished import UnfinishedTraining
from dltool.runs.folder import RunFolder


def standard_observers(
    parts: Parts,
    run: RunFolder,
    watched: Watched,
    clock: Clock,
    progress: Progress,
    *,
    quiet: bool = False,
    display: Observer | None = None,
) -> list[Observer]:
    """The observers of a training, in the order in which they get events; each decides in on_start what to do.

    Args:
        parts: The parts of the training, with the config.
        run: The run folder.
        watched: The training, as observers see it.
        clock: Measures its time.
        progress: Its progress.
        quiet: Show no progress.
        display: Shows the progress instead of the bar of a terminal.

    Raises:
        ConfigError: If the user's own observer cannot be built.
    """
    config, logger, warn = parts.config, parts.logger, watched.warn
    size = sum(parameter.numel() for parameter in parts.task.model.parameters())
    main_metric = monitored_metric(None, "auto", parts.task)
    status = StatusFile(run, dict(leaves(config.tree)), clock, progress, main_metric, size)
    # Copies of the log come after it.
    observers: list[Observer] = [status, JsonlLog(run.metrics), CsvLog(run, warn)]
    observers.append(display or ProgressBar(quiet=quiet))
    observers += [
        TrivialComparison(warn, parts.dataset),
        UnfinishedTraining(warn),
        UndefinedMetrics(warn),
        SkippedFiles(run.files, parts.dataset, watched.note),
        Alarms(warn, partial(watched.held_out, NUM_COMPARED)),
    ]
    if logger.plots:
        observers += plots(parts, watched)
    if logger.plots or config["task"].get("metrics"):  # A figure that task.metrics names was asked for.
        observers.append(MetricPlots(watched))
    if logger.samples:
        observers.append(SamplesPlot(watched, every_n_steps=logger.samples_every_n_steps, seed=config["seed"]))
        observers.append(TextSamples(watched, config.tree))
    if tests_rates(parts):
        facts = (
            str(config["optim"]["name"]),
            word("batch {size}", size=config["data"].get("batch_size")),
            word("seed {seed}", seed=config["seed"]),
        )
        observers.append(RangeTestPlot(watched, draws=logger.plots, facts=facts))
    measures = parts.config["diagnostics"]["name"] != "none"  # And draws the plane of two inputs at the end.
    if measures:
        observers.append(build_diagnostics(parts, watched))
    if (own := build_observer(config, watched)) is not None:
        observers.append(OwnObserver(config["observer"]["name"], own, watched))
    if logger.report:
        plane = PlaneFile(watched, parts.dataset, draws=logger.plots, keeps=not measures)
        observers += [SummaryFile(watched, parts), plane, ReportPage(run)]
    # After the plots and the page, which trackers upload.
    return [*observers, *make_trackers(logger.to, run, warn, config.tree, logger)]


def plots(parts: Parts, watched: Watched) -> list[Observer]:
    """The pictures that a training draws by itself."""
    return [
        CurvesPlot(watched),
        NetworkPlots(watched, parts.dataset.preprocessing),
        LatentPlanePlot(watched),
        TaskPlots(watched),
        ForecastPlot(watched, parts.dataset),
        GradientOverTimePlot(watched),
        AugmentedPlot(watched, parts.dataset.train),
    ]


def build_diagnostics(parts: Parts, watched: Watched) -> Diagnostics:
    """The observer for the measurements that the config requests."""
    settings = build_component(parts.config.components["diagnostics"], parts.config["diagnostics"])
    size = parts.dataset.batch_size
    batch_size = round(parts.dataset.train.samples_per_epoch) if size == "full" else size
    return Diagnostics(
        watched,
        settings,
        updaters=parts.updaters,
        training_samples=partial(parts.dataset.first_batch, "train"),
        batch_size=batch_size,
        preprocessing=parts.dataset.preprocessing,
        alarms=None if tests_rates(parts) else LayerAlarms(watched.warn, parts.config),
        config=parts.config.tree if parts.logger.plots else None,
        stop_period=parts.stop.every_n_steps if (parts.stop.gradient_norm or parts.stop.update_norm) else None,
    )
