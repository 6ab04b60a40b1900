"""Run folders: one entry of a trained run is damaged, and a command uses it."""

import random
from collections.abc import Iterator

from hostile.case import Case, Place
from hostile.damages import DAMAGES

STEP = "checkpoints/step-000004"
ENTRIES = [
    *("status.json", "config.yaml", "environment.json", "preprocessing.json", "data.json", "summary.json"),
    *("points.json", "plane.json", "network.json", "metrics.jsonl", "metrics.csv", "log.txt", ".lock", "report.html"),
    *("checkpoints", "checkpoints/last", "checkpoints/best", STEP, f"{STEP}/manifest.json"),
    *(f"{STEP}/weights.safetensors", f"{STEP}/state.safetensors", "plots", "plots/curves.png", "plots/film.gif"),
    *("samples", "samples/text.txt", "diagnostics", "diagnostics/layers.jsonl", "diagnostics/alarms.jsonl"),
    *("sweep.json", "journal.log", "export", "checkpoints/.tmp-1", "../a", "wandb.json", "tensorboard"),
]
COMMANDS = [
    ("runs", "--json"),
    ("runs", "--csv"),
    ("runs", "show", "outputs/run"),
    ("runs", "compare", "outputs/run", "outputs/run"),
    ("report", "outputs/run"),
    ("evaluate", "outputs/run"),
    ("resume", "outputs/run", "trainer.epochs=3"),
    ("plot", "outputs/run"),
    ("export", "outputs/run", "--format", "safetensors"),
    ("train", "--from", "outputs/run", "--cfg", "job"),
    ("train", "--from", "outputs/run", "run.dir=outputs/again"),
    (
        "train",
        "model=mlp",
        "model.hidden=[4]",
        "data=iris",
        "init_from=outputs/run",
        "trainer.steps=1",
        "run.dir=outputs/x",
    ),
    ("predict", "outputs/run", "--input", "5.1,3.5,1.4,0.2"),
    ("runs", "rm", "outputs/run", "--yes"),
    ("trace", "--run", "outputs/run"),
    ("train", "-m", "seed=1,2", "sweep.dir=outputs/run", "data=iris", "model=mlp", "trainer.steps=1"),
]


def run_cases(random: random.Random, count: int) -> Iterator[Case]:
    """Every entry with every damage is possible; the drawn ones cover each entry and each damage."""
    for number in range(count):
        entry = ENTRIES[number % len(ENTRIES)]
        name = random.choice(list(DAMAGES)) if number >= len(DAMAGES) else list(DAMAGES)[number]
        words = random.choice(COMMANDS)
        seed = random.random()
        yield Case(f"run-{number}-{entry.replace('/', '_')}-{name}-{words[0]}", maker(entry, name, seed), words, True)


def maker(entry: str, damage: str, seed: float):
    def make(place: Place) -> None:
        if not (place.run / entry).parent.is_dir():
            (place.run / entry).parent.mkdir(parents=True)
        DAMAGES[damage](place.run / entry, place, random.Random(seed))

    return make
