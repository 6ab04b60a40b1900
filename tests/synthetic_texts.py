"""Small texts, and a series, in every format that a data option reads."""

import gzip
from pathlib import Path

NAMES = ("Anna", "Bob", "Carl", "Dora", "Emil", "Fritz", "Greta", "Hans", "Ida", "Jan", "Klara", "Mia", "Nils", "Olga")


def write_every_text(folder: Path) -> dict[str, dict[str, object]]:
    """Data option to the fields with which it reads what was written for it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text("All that glitters is not gold. " * 150, encoding="utf-8")
    (folder / "names.txt").write_text("\n".join(NAMES * 5), encoding="utf-8")
    (folder / "lines.txt").write_text("The cat sat on the mat.\n" * 120, encoding="utf-8")
    for split, count in (("train", 40), ("dev", 5), ("test", 5)):
        write_treebank(folder / f"made-ud-{split}.conllu", count)
    rows = "".join(f"{word} film {number},{word}\n" for number in range(20) for word in ("good", "bad", "odd"))
    (folder / "films.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    write_translations(folder)
    moments = "".join(f"day {day},{day % 7},{day * 0.5:.1f}\n" for day in range(200))
    (folder / "series.csv").write_text(f"day,sales,price\n{moments}", encoding="utf-8")
    return {
        "text": {"path": str(folder / "text.txt")},
        "names": {"path": str(folder / "names.txt")},
        "corpus": {"path": str(folder / "lines.txt")},
        "conllu": {"root": str(folder)},
        "text_csv": {"path": str(folder / "films.csv"), "text": "text", "target": "label"},
        "parallel": {"root": str(folder), "source": "de", "target": "en"},
        "series": {"path": str(folder / "series.csv")},
    }


def write_treebank(path: Path, count: int) -> None:
    """Sentences of two to four words, with a comment, a multiword token and an empty node in each."""
    sentences = []
    for number in range(count):
        words = [("Dogs", "NOUN"), ("don't", None), ("do", "AUX"), ("n't", "PART"), ("sleep", "VERB")][: 3 + number % 3]
        lines, place = [f"# sent_id = {number}"], 0
        for word, tag in words:
            if tag is None:
                lines.append(f"{place + 1}-{place + 2}\t{word}" + "\t_" * 8)
                continue
            place += 1
            lines.append(f"{place}\t{word}\t{word.lower()}\t{tag}\tX\t_\t0\troot\t_\t_")
        lines.append(f"{place}.1\tthere" + "\t_" * 8)
        sentences.append("\n".join(lines) + "\n\n")
    path.write_text("".join(sentences), encoding="utf-8")


def write_translations(folder: Path) -> None:
    """train.de.gz, val.de, test_2016.de and their partners, 40 + 5 + 5 lines."""
    words = {"de": ("ein Hund", "eine Katze", "schläft"), "en": ("a dog", "a cat", "sleeps")}
    for language, (dog, cat, sleeps) in words.items():
        lines = [f"{(dog, cat)[number % 2]} {sleeps} {number % 7} ." for number in range(50)]
        for name, part in (("train", lines[:40]), ("val", lines[40:45]), ("test_2016", lines[45:])):
            text = "".join(f"{line}\n" for line in part).encode()
            if name == "train":
                (folder / f"{name}.{language}.gz").write_bytes(gzip.compress(text))
            else:
                (folder / f"{name}.{language}").write_bytes(text)
