"""Whether the samples of a data set can be drawn in the configured order."""

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.arrays import RawData


def check_order(raw: RawData, sampling: str, order: str, *, shuffle: bool) -> None:
    """Check the keys of SampleData that say in which order the training samples are drawn.

    Raises:
        DataError: The keys need classes, and the data has none; or they contradict each other.
    """
    for key, value, default in (("sampling", sampling, "all"), ("order", order, "random")):
        if value != default and raw.target not in ("classes", "binary"):
            raise DataError(
                f"data.{key}={value} needs classes, but the targets of {raw.origin} are {raw.target}",
                setting(f"data.{key}", default),
            )
    if sampling == "all":
        return
    if order == "by_class":
        raise DataError(
            "data.order=by_class sorts the samples, but data.sampling=balanced draws them at random",
            "data.sampling=all",
        )
    if not shuffle:
        raise DataError("data.sampling=balanced draws at random, but data.shuffle=false", "data.shuffle=true")
