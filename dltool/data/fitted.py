"""The preprocessing and the DataSpec, which a run saves so that it can be used without its training data.

preprocessing.json: {"format": 1, "spec": {"input_shape", "target", "class_names", …}, "preprocessing": {"kind", …}}
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

import torch

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.data.arrays import RawData, Split
from dltool.data.cells import to_number
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.preprocessing import Preprocessing
from dltool.data.series_preprocessing import SeriesPreprocessing
from dltool.data.table_preprocessing import TablePreprocessing
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.text.fitting import fingerprint

KINDS: dict[str, type[Preprocessing]] = {
    "table": TablePreprocessing,
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "series": SeriesPreprocessing,
}
FORMAT = 1
LABELS = ("classes", "binary")
SEQUENCES = ("tags", "next_token", "sequence")


class Fitted(NamedTuple):
    """A run's preprocessing and description of its data."""

    preprocessing: Preprocessing
    spec: DataSpec


def to_json(preprocessing: Preprocessing, spec: DataSpec) -> dict[str, Any]:
    """Convert to plain dicts, lists, strings and numbers."""
    return {"format": FORMAT, "spec": asdict(spec), "preprocessing": preprocessing.to_dict()}


def from_json(saved: dict[str, Any], origin: str) -> Fitted:
    """The inverse of `to_json`.

    Raises:
        DataError: The format is unknown; `origin` names the file.
    """
    if saved.get("format") != FORMAT:
        raise DataError(f"{origin} has the format {saved.get('format')}, but this dltool reads {FORMAT}")
    spec = {key: as_tuple(value) for key, value in saved["spec"].items() if key in {f.name for f in fields(DataSpec)}}
    state = dict(saved["preprocessing"])
    if state["kind"] == "text":  # dltool 0.1 did not save it; only tags were of lists of words.
        state.setdefault("given_words", spec["target"] == "tags")
    preprocessing = KINDS[state["kind"]].from_dict(state)
    return Fitted(preprocessing, preprocessing.completed(DataSpec(**spec)))  # An older run's spec has no pixel_shift.


def tokenizer_state(preprocessing: Preprocessing, spec: DataSpec) -> dict[str, Any]:
    """The tokenisers that define a model's token ids, and their SHA-256; empty for data without texts."""
    saved = [tokenizer for tokenizer in (preprocessing.input_tokenizer, spec.target_tokenizer) if tokenizer]
    return {"tokenizers": saved, "sha256": fingerprint(*saved)} if saved else {}


def check_tokenizers(before: dict[str, Any], now: dict[str, Any], what: str, hint: str | None = None) -> None:
    """Raises DataError if the tokenisers are not those that the model was trained with.

    Args:
        before: The `tokenizer_state` of the training; empty for a run from before such states were saved.
        now: The current `tokenizer_state`.
        what: The owner of the current tokenisers, for the message.
        hint: The hint of the error.
    """
    if before and before["sha256"] != now.get("sha256"):
        found = f"SHA-256 {now['sha256'][:12]}…" if now else "none"
        raise DataError(
            f"the tokenisers of {what} ({found}) are not those that the model was trained with "
            f"(SHA-256 {before['sha256'][:12]}…)",
            hint,
        )


def as_tuple(value: Any) -> Any:
    """Convert JSON's lists back to tuples."""
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value


def first_of(raw: RawData, class_name: str) -> str:
    """The position of the first sample of a class, " (test sample 3)" or " (row 3)"; "" if none exists."""
    if raw.target in ("tags", "labels"):
        return ""
    label = raw.class_names.index(class_name)
    for name, split in raw.splits.items():
        if len(found := (split.targets == label).nonzero()):
            place = int(split.places[found[0, 0]])
            return f" ({name} sample {place})" if split.rows is None else f" (row {place})"
    return ""


def known_class(name: str, known: Sequence[str], *, by_number: bool) -> str | None:
    """The class of a run for a label: the one with its name, or else the only one with its number.

    Older runs on tables derived labels from numbers: "1" for 01 and 1.0.
    """
    if name in known or not by_number or not math.isfinite(number := to_number(name)):
        return name if name in known else None
    alike = [other for other in known if to_number(other) == number]
    return alike[0] if len(alike) == 1 else None


def relabelled(raw: RawData, spec: DataSpec) -> RawData:
    """Convert the data's labels to those of a run, by the names of the classes.

    Raises:
        DataError: The targets are of another kind, or a class was not in the training data.
    """
    if raw.target == spec.target == "numbers" and raw.target_dim != spec.target_dim:
        raise DataError(
            f"{raw.origin} has {raw.target_dim} numbers to predict for each sample, but the run was trained on "
            f"{spec.target_dim}",
            "data.target and, for a series, data.horizon as in the run's config.yaml",
        )
    other = raw.target != spec.target and {raw.target, spec.target} & {*SEQUENCES, "labels"}
    if other or (raw.target in LABELS) != (spec.target in LABELS) or raw.target_dim != spec.target_dim:
        hint = (
            f"{setting('data.kind', 'classes' if spec.target in LABELS else 'numbers')}, if that is the intended kind"
        )
        raise DataError(f"the targets of {raw.origin} are {raw.target}, but the run was trained on {spec.target}", hint)
    if raw.class_names == spec.class_names:
        return raw
    found = {name: known_class(name, spec.class_names, by_number=bool(raw.columns)) for name in raw.class_names}
    if unknown := [name for name, known in found.items() if known is None]:
        raise DataError(
            f"{raw.origin} has the class {unknown[0]}, which was not in the training data{first_of(raw, unknown[0])}",
            f"the training classes were {', '.join(spec.class_names[:20])}",
        )
    labels = torch.tensor([spec.class_names.index(str(known)) for known in found.values()], dtype=torch.int64)
    if renamed := [f"{name} as {known}" for name, known in found.items() if name != known]:
        raw = replace(raw, notes=(*raw.notes, f"classes of the same number are merged: {', '.join(renamed)}"))
    if raw.target == "tags":
        tags = [labels[list(row)].tolist() for row in raw.texts.targets]
        return replace(raw, texts=replace(raw.texts, targets=tags), class_names=spec.class_names)
    if raw.target == "labels":
        return replace(raw, **with_columns(raw, labels, spec.num_classes), class_names=spec.class_names)
    splits: dict[str, Any] = {
        name: Split(split.inputs, labels[split.targets], split.rows) for name, split in raw.splits.items()
    }
    return replace(raw, **splits, target=spec.target, class_names=spec.class_names)


def with_columns(raw: RawData, places: torch.Tensor, num_labels: int) -> dict[str, Any]:
    """The splits with each label at its place among those of a run; labels that the data lacks are 0."""
    splits = {}
    for name, split in raw.splits.items():
        targets = split.targets.new_zeros(len(split), num_labels)
        targets[:, places] = split.targets
        splits[name] = Split(split.inputs, targets, split.rows)
    return splits
