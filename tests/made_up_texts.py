"""Small texts in every format that a data option reads."""

from pathlib import Path

NAMES = ("Anna", "Bob", "Carl", "Dora", "Emil", "Fritz", "Greta", "Hans", "Ida", "Jan", "Klara", "Mia", "Nils", "Olga")


def write_every_text(folder: Path) -> dict[str, dict[str, object]]:
    """Data option to the fields with which it reads what was written for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text("All that glitters is not gold. " * 150, encoding="utf-8")
    (folder / "names.txt").write_text("\n".join(NAMES * 5), encoding="utf-8")
    return {"text": {"path": str(folder / "text.txt")}, "names": {"path": str(folder / "names.txt")}}
