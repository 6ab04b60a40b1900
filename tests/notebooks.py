"""Executes notebooks in a kernel of their own, and keeps what it sent."""

import time
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")


class Client(nbclient.NotebookClient):  # type: ignore[misc,name-defined]
    """Notes the cell and the time of each message that updates a display."""

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] == "update_display_data":
            updates: list[float] = cell.metadata.setdefault("updates", [])
            updates.append(time.monotonic())
        return super().process_message(msg, cell, cell_index)


def executed(notebook: Any, folder: Path, *, errors: bool = False) -> list[Any]:
    """The code cells of a notebook with their outputs.

    Args:
        notebook: As nbformat has it.
        folder: The working directory of the kernel.
        errors: Continue after a cell that raises an exception.
    """
    Client(notebook, timeout=120, allow_errors=errors, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def notebook_of(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


def streams(cells: list[Any], name: str) -> str:
    """What the cells printed to "stdout" or "stderr"."""
    outputs = [output for cell in cells for output in cell.outputs]
    return "".join(one.text for one in outputs if one.output_type == "stream" and one.name == name)


def data_of(cell: Any, kind: str) -> list[str]:
    """The outputs of a cell of one MIME type."""
    return [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]
