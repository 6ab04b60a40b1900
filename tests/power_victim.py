"""A training that loses its power at a moment: `python power_victim.py MOMENT SAVED DISK WORDS…`.

MOMENT is "made", NAME for the moment after the first file or folder of that name took its place, NAME:2 after the
second; or "never", for a training whose power somebody else cuts. SAVED is a file elsewhere that gets a line with the
step of each checkpoint that was committed. DISK is a folder of the disk.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from disk_image import cut_power

from dltool.cli.main import main
from dltool.engine.checkpoint import CheckpointStore
from dltool.runs.folder import RunFolder


def end_at(moment: str, disk: Path) -> None:
    """Cut the power at a moment of the run's writing."""
    name, _, number = moment.partition(":")
    seen: Counter[str] = Counter()

    def arrived(target: str) -> None:
        seen[target] += 1
        if target == name and seen[target] == int(number or 1):
            cut_power(disk)
            os._exit(9)

    def watched(call: Callable[..., None]) -> Callable[..., None]:
        def named(source: Any, target: Any, **options: Any) -> None:
            call(source, target, **options)
            arrived(Path(str(target)).name)

        return named

    os.replace, os.rename = watched(os.replace), watched(os.rename)
    create = RunFolder.create.__func__  # type: ignore[attr-defined]

    def created(cls: type[RunFolder], *arguments: Any) -> Any:
        run = create(cls, *arguments)
        arrived("made")
        return run

    RunFolder.create = classmethod(created)  # type: ignore[assignment, method-assign]


def note_saves(saved: Path) -> None:
    """Write down each checkpoint that the training may rely on."""
    save = CheckpointStore.save

    def noted(store: CheckpointStore, step: int, *contents: Any) -> Path:
        path = save(store, step, *contents)
        with saved.open("a") as file:
            file.write(f"{step}\n")
        return path

    CheckpointStore.save = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    moment, saved, disk, *words = sys.argv[1:]
    note_saves(Path(saved))
    end_at(moment, Path(disk))
    sys.argv = ["dltool", *words]
    sys.exit(main(words))
