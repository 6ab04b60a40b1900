"""The notebook of the tutorial runs, and is stored without outputs."""

import re
from pathlib import Path
from typing import Any

import pytest
from notebooks import executed, nbformat, streams

from dltool.core.package import NOTEBOOK

SHORT = '"trainer.steps=2", "trainer.threads=1", "logger.plots=false", '


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_without_outputs(notebook: Any) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.get("execution_count") is None
        assert not cell.get("outputs")


def shortened(source: str) -> str:
    """A cell whose trainings take two steps, as the manual's commands do in its test."""
    source = source.replace('"logger.plots=false"]', "]")
    if "trainer.steps" in source:
        return source
    return re.sub(r"(dltool\.train\(|words = )\[", lambda match: match[0] + SHORT, source)


@pytest.mark.manual
def test_its_cells_run(notebook: Any, tmp_path: Path) -> None:
    for cell in notebook.cells:
        cell.source = shortened(cell.source) if cell.cell_type == "code" else cell.source
    cells = executed(notebook, tmp_path)
    assert streams(cells, "stderr") == ""
    failed = [output.ename for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert failed == ["ConfigError"]  # The typing error that is shown on purpose.
