"""The examples that `--help` shows, and the small runs and files that they name."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from synthetic_images import random_pixels, write_every_image_set
from synthetic_texts import write_every_text
from warm_process import run_dltool

from dltool.cli.main import commands, make_parser

EXAMPLE = re.compile(r"  (dltool .*?)(?:  .*)?")
RUN = re.compile(r"\d\d-\d\d-\d\d_([a-z0-9]+)_(\w+)")  # time_model_data
DAY = Path("outputs", "2026-01-31")
PLAY = "ROMEO:\nTo be, or not to be, that is the question.\nThe rest is silence.\n" * 40
ROYAL = "the king and the queen , the man and the woman , he and she walk to the house .\n" * 60

# What makes the training of a run short and gives it what the examples ask of it: by its model, data or whole name.
SHORT = ("trainer.epochs=1", "trainer.limit_batches=2", "logger.plots=false")
MORE_WORDS = {
    "cyclegan": ["model.width=4", "model.blocks=1", "model.discriminator_width=4"],
    "dcgan": ["model.generator_width=4", "model.discriminator_width=4", "model.condition=input"],
    "gpt": ["model.depth=1"],
    "lstm": ["model.hidden_dim=8"],
    "stylegan2": ["model.width=2", "model.max_width=4", "model.condition=input", "data.batch_size=8"],
    "moons": ["diagnostics=default"],
    "series": ["data.path=history.csv"],
    "csv": ["data.path=table.csv", "data.target=y"],
    "text": ["data.length=16"],
    "conllu": ["model.bidirectional=true"],
    "numbers": ["model.attention=additive"],
    "dcgan_mnist": ["trainer.average.kind=ema"],
    "lstm_text": ["task=cloze", "model.bidirectional=true", "data.tokenizer.kind=word"],
}


def lines_of_help() -> list[tuple[str, str]]:
    """Each example after the command whose help shows it."""
    parser = make_parser()
    epilogs = [("--help", parser.epilog or ""), *((f"{name} --help", p.epilog or "") for name, p in commands(parser))]
    return [
        (name, found[1].strip())
        for name, text in epilogs
        for line in text.splitlines()
        if (found := EXAMPLE.fullmatch(line))
    ]


class Workplace:
    """A folder with everything that the examples name: images, texts, tables, and runs as soon as they are needed.

    Attributes:
        folder: The working folder of the examples.
        images: The folder of the image data sets, for FOLDER in an example.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        roots = write_every_image_set(folder / "data")
        self.images = roots["mnist"]
        self.places = {name: {"root": path} for name, path in roots.items()} | write_every_text(folder / "texts")
        self.places["corpus"] = {"path": folder / "texts" / "royal.txt"}
        (folder / "texts" / "royal.txt").write_text(ROYAL, encoding="utf-8")
        (folder / "texts" / "text.txt").write_text(PLAY, encoding="utf-8")
        (folder / "texts" / "lines.txt").write_text("the cat sat in the house .\n" * 120, encoding="utf-8")
        rows = "".join(f"{n},{('red', 'blue')[n % 2]},{2 * n}\n" for n in range(60))
        for name in ("table.csv", "new.csv"):
            (folder / name).write_text(f"size,colour,y\n{rows}", encoding="utf-8")
        (folder / "copy" / "of").mkdir(parents=True)
        (folder / "copy" / "of" / "table.csv").write_bytes((folder / "table.csv").read_bytes())
        first = date(2026, 1, 1)
        days = "".join(f"{first + timedelta(day)},{day % 7}\n" for day in range(200))
        (folder / "history.csv").write_text(f"date,value\n{days}", encoding="utf-8")
        (folder / "sentences.txt").write_text("ein Hund schläft 3 .\n", encoding="utf-8")
        (folder / "beginning.txt").write_text("The ", encoding="utf-8")
        (folder / "photos").mkdir()
        for path in (
            folder / name for name in ("seven.png", "eight.png", "photo.jpg", "photos/one.png", "photos/two.jpg")
        ):
            Image.fromarray(random_pixels(28, 28, 3)).save(path)

    def train(self, names: Iterable[re.Match[str]]) -> None:
        """Train the named runs that do not exist yet."""
        for name in names:
            if not (path := self.folder / DAY / name[0]).exists():
                done = run_dltool("train", *self.words_of(name[1], name[2]), f"run.dir={path}", cwd=self.folder)
                assert done.returncode == 0, f"{name[0]}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

    def words_of(self, model: str, data: str) -> list[str]:
        """The overrides of a run."""
        more = [word for key in (model, data, f"{model}_{data}") for word in MORE_WORDS.get(key, [])]
        places = [f"data.{key}={value}" for key, value in self.places.get(data, {}).items()]
        return [f"model={model}", f"data={data}", *places, *more, *SHORT]
