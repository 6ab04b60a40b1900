"""The document of one run, from the files in its folder."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import DltoolError
from dltool.core.language import wanted_language
from dltool.core.numerals import is_finite_number, numeral
from dltool.core.safe_read import read_text, regular_files
from dltool.core.shell import quoted
from dltool.core.titles import training_title
from dltool.report.captions import SECTIONS, caption_of
from dltool.report.document import FORMAT, chart, table
from dltool.report.plane import plane_of
from dltool.report.playground import playground_of
from dltool.report.words import word
from dltool.runs.catalog import RunRecord, as_text
from dltool.runs.comparison import is_learning_rate, read_environment
from dltool.runs.curves import RunLog
from dltool.runs.description import changed_config
from dltool.runs.folder import LOG, METRICS, PREPROCESSING
from dltool.runs.records import read_records
from dltool.runs.summary_file import read_network, read_object, read_summary

SPLIT_LABELS = {"step": "train, per step", "train": "train", "val": "val", "test": "test"}
MAX_TEXTS, MAX_CHARACTERS = 6, 2000  # Of generated texts.
TRAINED = {  # By whether the training is running, and whether the sizes of the data are known.
    (False, False): "The model {model} was trained on {data}.",
    (False, True): "The model {model} with {parameters:,} parameters was trained on {data} ({sizes} {unit}).",
    (True, False): "The model {model} is being trained on {data}.",
    (True, True): "The model {model} with {parameters:,} parameters is being trained on {data} ({sizes} {unit}).",
}
EMPTY = ("", "null", "[]")
HOW = {  # By whether the loss is chosen, and not the task's own.
    True: "Optimizer {optim}, learning rate {rate}, schedule {schedule}, loss {loss}, batches of {batch}.",
    False: "Optimizer {optim}, learning rate {rate}, schedule {schedule}, batches of {batch}.",
}
BASELINES = {  # See dltool.data.shares and dltool.engine.trivial_metrics.
    "accuracy {value} by always predicting {name}": re.compile(
        r"accuracy (?P<value>\S+) by always predicting (?P<name>.*)", re.DOTALL
    ),
    "{value} by predicting the mean": re.compile(r"(?P<value>\S+) by predicting the mean"),
    "{value} by the frequency of each token": re.compile(r"(?P<value>\S+) by the frequency of each token"),
}
NOT_PLAYABLE = {  # See dltool.introspection.playable.playable_or_reason.
    "size": "There is nothing to try in this page: the model has {count:,} numbers, and pages compute at most "
    "{most:,}.",
    "operation": "There is nothing to try in this page: pages do not compute {name}.",
    "example": "There is nothing to try in this page: the model needs more than an input of the data's shape.",
    "kind": "There is nothing to try in this page: pages have controls for classifiers of images and rows, generators "
    "of images from codes or noise, translators of images, and models of characters.",
}
ENVIRONMENT_FIRST = ("auto.trainer.device", "versions.dltool", "versions.torch", "versions.python", "platform")


def run_document(record: RunRecord, log: RunLog | None = None) -> dict[str, Any]:
    """Everything that the page of a run shows; see dltool.report.document.

    Args:
        record: The run.
        log: Its metrics if they have been read.
    """
    summary = read_summary(record.path)
    environment = read_environment(record)
    log = log or RunLog(record, read_records(record.path / METRICS))
    playground = playground_of(record.path, record.config)
    return {
        "format": FORMAT,
        "kind": "run",
        "title": title_of(record),
        "state": record.state,
        "intro": [*intro(record, summary, environment), *([] if playground else why_not_playable(summary))],
        "results": results(record, summary),
        "charts": charts(log),
        "points": None,
        "network": network_of(record),
        "playground": playground,
        "plane": plane_of(record.path) if playground else None,
        "sections": sections(record.path),
        "tables": tables(record, summary, environment),
        "messages": messages(record),
        "commands": commands(record, environment),
    }


def title_of(record: RunRecord) -> str:
    """ "lenet on digits", or the folder's name if the config cannot be read."""
    model, data = record.config.get("model.name"), record.config.get("data.name")
    return training_title(model, data, wanted_language()) if model and data else record.path.name


def intro(record: RunRecord, summary: Mapping[str, Any], environment: Mapping[str, Any]) -> list[str]:
    """What was trained, and how it ended, in sentences."""
    config = record.config
    model, data = config.get("model.name"), config.get("data.name")
    if not model:
        return [ending(record, environment)]
    sizes = ", ".join(f"{count:,} {word(split)}" for split, count in summary.get("sizes", {}).items())
    has_sizes = bool(sizes and record.parameters)
    what = word(
        TRAINED[record.state == "running", has_sizes],
        model=model,
        data=data,
        parameters=record.parameters or 0,
        sizes=sizes,
        unit=word(summary.get("unit", "samples")),
    )
    loss = summary.get("loss") or config.get("loss.name", "auto")
    how = word(
        HOW[loss != "auto"],
        optim=config.get("optim.name"),
        rate=config.get("optim.lr", "–"),
        schedule=config.get("schedule.name"),
        loss=loss,
        batch=config.get("data.batch_size"),
    )
    return [what, how, ending(record, environment)]


def ending(record: RunRecord, environment: Mapping[str, Any]) -> str:
    """How far the run came, on which device, and why it ended."""
    length = "–" if record.step is None else f"{record.step:,}"
    device = environment.get("auto.trainer.device", record.config.get("trainer.device", "–"))
    values = {"steps": length, "epochs": record.epoch or 0, "seconds": record.seconds or 0, "device": device}
    said = word("{steps} steps, {epochs} epochs, {seconds:,.0f} s on {device}.", **values)
    if record.state == "running" and record.step and record.total_steps and record.seconds:
        remaining = record.seconds * (record.total_steps - record.step) / record.step
        said += " " + word(
            "Of {steps:,} steps; about {seconds:,.0f} s left.", steps=record.total_steps, seconds=remaining
        )
    if record.stopped_by:
        said += " " + word("Stopped by {rule}.", rule=word(record.stopped_by.replace("_", " ")))
    if record.state == "running":
        said += " " + word("Pictures of the network and of what it learns are drawn at the end of the training.")
    return f"{said} {record.error}" if record.error else said


def why_not_playable(summary: Mapping[str, Any]) -> list[str]:
    """Why visitors cannot try the network; empty if they can, or if it is not known."""
    reason = summary.get("not_playable")
    template = NOT_PLAYABLE.get(str(reason.get("reason"))) if isinstance(reason, dict) else None
    try:
        return [word(template, **reason)] if template and isinstance(reason, dict) else []
    except (KeyError, ValueError, TypeError):  # A file that was edited.
        return []


def results(record: RunRecord, summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """The metrics of held-out data, the test split first, each beside that of predictions without a model."""
    names = [name for name in record.metrics if not is_learning_rate(name)]
    held_out = [name for split in ("test", "val") for name in names if name.startswith(f"{split}/")]
    beside = summary.get("baselines", {})
    chosen = held_out or [name for name in names if name.startswith("train/")]
    return [
        {"name": name, "value": numeral(record.metrics[name]), "beside": baseline(str(beside.get(name, "")))}
        for name in chosen
    ]


def baseline(text: str) -> str:
    """A metric without a model in the language of the page."""
    for template, pattern in BASELINES.items():
        if found := pattern.fullmatch(text):
            return word(template, **found.groupdict())
    return text


def network_of(record: RunRecord) -> dict[str, Any] | None:
    """The network that a visitor can try, with how an image or a text becomes its input; None without one."""
    network = read_network(record.path)
    saved = read_object(record.path / PREPROCESSING).get("preprocessing")
    if not network or not isinstance(saved, dict):
        return None
    if network.get("kind") == "continue":
        tokens = characters_of(saved)
        return {**network, "text": tokens} if tokens else None
    if network.get("kind") == "row":
        columns = columns_of(saved)
        return {**network, "row": columns} if columns else None
    if saved.get("kind") != "image":
        return None
    image = {name: saved[name] for name in ("channels", "raw_size", "size", "shift", "factor", "fit") if name in saved}
    statistics = saved.get("statistics") or {}
    polarity, extent = statistics.get("polarity") or [1.0, 1.0], statistics.get("drawing") or 1.0
    return {**network, "image": {**image, "light": sum(polarity) > 0, "extent": extent}}


def columns_of(saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of a table as a form has them, each with a value to start with; empty for other data."""
    try:
        return [
            {"name": str(one["name"]), "categories": [str(text) for text in one["categories"]]}
            if "categories" in one
            else {"name": str(one["name"]), "shift": number_of(one["shift"]), "factor": number_of(one["factor"])}
            for one in saved["columns"]
        ]
    except (KeyError, TypeError, ValueError):
        return []


def number_of(value: Any) -> float:
    """A finite number. Raises ValueError for anything else."""
    if not is_finite_number(value):
        raise ValueError("not a number")
    return float(value)


def characters_of(saved: Mapping[str, Any]) -> dict[str, Any] | None:
    """The characters of a model of characters, in the order of its outputs; None for other tokens."""
    try:
        tokenizer = json.loads(saved["saved_tokenizer"])
    except (KeyError, TypeError, ValueError):
        return None
    if not isinstance(tokenizer, dict) or tokenizer.get("kind") != "char":
        return None
    specials = tokenizer.get("specials", [])
    return {
        "tokens": [*specials, *tokenizer.get("tokens", [])],
        "specials": len(specials),
        "lower": tokenizer.get("lower", False),
        "form": tokenizer.get("form", "none"),
    }


def charts(log: RunLog) -> list[dict[str, Any]]:
    """A chart for each metric, with a line for each split; the loss first, the learning rates last."""
    found = []
    for metric, names in chart_lines(log.metrics).items():
        lines = {label: finite(log.points(name, "step")) for label, name in names.items()}
        if any(len(values) > 1 for values in lines.values()):
            found.append(chart(metric, lines, log.steps_per_epoch))
    return found


def chart_lines(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The charts of some `split/metric`: the title of each to the label of each line to the name."""
    metrics: dict[str, dict[str, str]] = {}
    for name in names:
        split, _, metric = name.partition("/")
        if not (split == "train" and is_learning_rate(name)):  # The steps have it.
            metrics.setdefault(metric, {})[word(SPLIT_LABELS.get(split, split))] = name
    order = sorted(metrics, key=lambda metric: (is_learning_rate(metric), metric != "loss"))
    return {word(metric): metrics[metric] for metric in order}


def finite(points: Mapping[float, float]) -> dict[float, float]:
    return {x: y for x, y in points.items() if abs(y) < float("inf")}


def sections(folder: Path) -> list[dict[str, Any]]:
    """The pictures, films and generated texts of a run folder by section, in the order of SECTIONS."""
    found: dict[str, dict[str, Any]] = {
        name: {"id": name, "title": title, "pictures": [], "films": [], "texts": []} for name, title in SECTIONS.items()
    }
    for path in regular_files(folder / "plots", ".png"):
        caption = caption_of(path.stem)
        if caption.section:
            found[caption.section]["pictures"].append(picture(folder, path, caption.title, caption.text))
    for path in regular_files(folder / "plots", ".gif"):
        caption = caption_of(path.stem)
        found[caption.section or "other"]["films"].append(picture(folder, path, caption.title, caption.text))
    add_samples(folder, found["samples"])
    return [one for one in found.values() if one["pictures"] or one["films"] or one["texts"]]


def add_samples(folder: Path, section: dict[str, Any]) -> None:
    """The film of the samples or their last image, and the last of the generated texts."""
    films, images = (regular_files(folder / "samples", ending) for ending in (".gif", ".png"))
    for path in films:
        section["films"].append(
            picture(folder, path, "Samples while training", "From the same noise, or the same inputs, each time.")
        )
    if images and not films:
        section["pictures"].append(picture(folder, images[-1], word("Samples: {name}", name=images[-1].stem), ""))
    for path in regular_files(folder / "samples", ".txt")[-MAX_TEXTS:]:
        text = read_text(path)[:MAX_CHARACTERS]
        section["texts"].append({"title": path.stem.replace("_", " "), "text": text})


def picture(folder: Path, path: Path, title: str, text: str) -> dict[str, str]:
    return {"name": path.stem, "title": title, "caption": text, "file": path.relative_to(folder).as_posix()}


def tables(record: RunRecord, summary: Mapping[str, Any], environment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The layers, the data, the config with the origin of each value, the environment."""
    found = []
    if layers := summary.get("layers"):
        columns, rows = layers["columns"], layers["rows"]
        found.append(table("layers", "Layer by layer", columns, rows, numbers=range(3, len(columns))))
    if data := summary.get("data"):
        found.append(table("samples-and-classes", "Samples and classes", ["", ""], data))
    if record.config:
        found.append(config_table(record, environment))
    names = [name for name in ENVIRONMENT_FIRST if name in environment]
    names += [
        name
        for name in environment
        if name not in names and not name.startswith(("auto.", "command", "trusted", "sha256"))
    ]
    rows = [[name.removeprefix("versions.").removeprefix("auto."), as_text(environment[name])] for name in names]
    return [*found, table("environment", "Environment", ["", ""], [row for row in rows if row[1] not in EMPTY])]


def config_table(record: RunRecord, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting with its origin; what was changed comes first."""
    changed, typed = changed_config(record.config), typed_keys(environment)

    def origin(key: str) -> str:
        if key in typed:
            return word("command line")
        if f"auto.{key}" in environment:
            return word("auto: {value}", value=as_text(environment[f"auto.{key}"]))
        return word("config file" if key in changed else "default")

    keys = sorted(record.config, key=lambda key: key not in changed)
    rows = [[key, as_text(record.config[key]), origin(key)] for key in keys]
    return table("config", "Config", ["setting", "value", "from"], rows)


def typed_keys(environment: Mapping[str, Any]) -> set[str]:
    """The keys that the command of a run names; a group's option is its name."""
    words = environment.get("command") or []
    typed = {str(word).partition("=")[0].lstrip("+~") for word in words} if isinstance(words, Sequence) else set()
    return typed | {f"{key}.name" for key in typed}


def messages(record: RunRecord) -> list[dict[str, str]]:
    """The warnings of the log, among them the alarms of the diagnostics, each once."""
    try:
        lines = read_text(record.path / LOG).splitlines()
    except (OSError, DltoolError):
        lines = []
    warned = dict.fromkeys(line.partition("warning: ")[2] for line in lines if "warning: " in line)
    return [{"kind": "warning", "text": text} for text in warned]


def commands(record: RunRecord, environment: Mapping[str, Any]) -> list[dict[str, str]]:
    """How to repeat, continue and use the run, to be copied."""
    found = []
    command = environment.get("command")
    if isinstance(command, list):
        found.append(("Train it again from its command", quoted(*(word for word in command if "run.dir=" not in word))))
    found.append(("Train it again from this folder", quoted("dltool", "train", "--from", record.path, "seed=1")))
    if record.state in ("interrupted", "failed", "killed"):
        found.append(("Continue it", quoted("dltool", "resume", record.path)))
    found.append(("Evaluate it", quoted("dltool", "evaluate", record.path)))
    return [{"title": title, "command": text} for title, text in found]
