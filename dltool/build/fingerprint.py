"""The fingerprint of the data that a config describes, and of that of a run."""

from pathlib import Path

from dltool.config.check import Config
from dltool.config.data_roles import identifying_settings, locations_set
from dltool.data.contents import Contents
from dltool.data.dataset import Dataset
from dltool.data.fingerprint import Fingerprint, compare, take_fingerprint
from dltool.runs.folder import CONFIG, DATA, RunFolder

UNKNOWN = f"has no {DATA}: it was made by an earlier version, so whether its data is still the same cannot be checked"


def fingerprint_of(config: Config, dataset: Dataset, before: Fingerprint | None = None) -> Fingerprint:
    """The fingerprint of a data set that was built from a config; for `before` see take_fingerprint."""
    contents = dataset.contents or Contents()
    settings = identifying_settings(config, drawn=contents.drawn)
    return take_fingerprint(contents, dataset.sizes, settings, before)


def read_fingerprint(run: RunFolder) -> Fingerprint | None:
    """The fingerprint of a run's data; None for a run of an earlier version.

    Raises:
        DataError: It is damaged, or in a format of a later version.
    """
    saved = run.read_data()
    return Fingerprint.from_json(saved, str(run.path / DATA)) if saved else None


def difference_from(source: Path, config: Config, fingerprint: Fingerprint) -> str:
    """How data differs from that of the run whose config was taken over with its data; "" where it does not.

    Args:
        source: The config that the training starts from; only that of a run has data.
        config: The config that is trained.
        fingerprint: That of its data.
    """
    if source.name != CONFIG or locations_set(config, source) or config.origins.origin("data.name") != str(source):
        return ""
    before = read_fingerprint(RunFolder(source.parent))
    return compare(before, fingerprint).difference if before else ""
