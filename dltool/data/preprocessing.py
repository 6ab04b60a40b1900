"""What a run saves so that it can be used without its training data: the preprocessing and the DataSpec.

preprocessing.json: {"format": 1, "spec": {"input_shape", "target", "class_names", …}, "preprocessing": {"kind", …}}
"""

from dataclasses import asdict, fields
from typing import Any

from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.table_preprocessing import TablePreprocessing
from dltool.errors import DataError
from dltool.spec import DataSpec

Preprocessing = TablePreprocessing | ImagePreprocessing
KINDS: dict[str, type[TablePreprocessing] | type[ImagePreprocessing]] = {
    "table": TablePreprocessing,
    "image": ImagePreprocessing,
}
FORMAT = 1


def to_json(preprocessing: Preprocessing, spec: DataSpec) -> dict[str, Any]:
    """Plain dicts, lists, texts and numbers."""
    return {"format": FORMAT, "spec": asdict(spec), "preprocessing": preprocessing.to_dict()}


def from_json(saved: dict[str, Any], origin: str) -> tuple[Preprocessing, DataSpec]:
    """What `to_json` was given.

    Raises:
        DataError: It is of another format; `origin` names the file.
    """
    if saved.get("format") != FORMAT:
        raise DataError(f"{origin} has the format {saved.get('format')}, and this dltool reads {FORMAT}")
    spec = {key: as_tuple(value) for key, value in saved["spec"].items() if key in {f.name for f in fields(DataSpec)}}
    return KINDS[saved["preprocessing"]["kind"]].from_dict(saved["preprocessing"]), DataSpec(**spec)


def as_tuple(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value
