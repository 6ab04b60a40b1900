"""Where tests find the repository, real data, and the command line."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

# Public data sets, which no test may need: the folder that DLTOOL_DATA names, or one beside the repository.
REAL_DATA = Path(os.environ.get("DLTOOL_DATA", REPOSITORY.parent / "shared" / "data"))

# For a training on one thread that draws no pictures and writes no page.
NUMBERS_ONLY = ("trainer.threads=1", "logger.plots=false", "logger.report=false")


def command(*words: str) -> Sequence[str]:
    """The command line in a process of its own."""
    return [sys.executable, "-m", "dltool.cli.main", *words]


def one_thread() -> dict[str, str]:
    """An environment in which torch takes one thread and rich a fixed width."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
