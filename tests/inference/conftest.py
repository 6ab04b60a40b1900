"""Runs that several tests use and none changes, trained once in each process."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from synthetic_texts import write_every_text

from dltool.cli.request import read_config
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder
from dltool.training.train import train

TRAININGS = {
    "lenet": ["model=lenet", "data=digits", "trainer.epochs=2"],
    "averaged": [
        "model=lenet",
        "trainer.epochs=1",
        "trainer.test=last",
        "trainer.average.kind=ema",
        "trainer.average.decay=0.9",
    ],
    "iris": ["model=mlp", "data=iris", "trainer.epochs=10"],
    "binary": ["model=logistic", "data=breast_cancer", "trainer.epochs=5"],
    "numbers": ["model=linear", "data=diabetes", "trainer.epochs=3"],
    "hinge": ["model=mlp", "data=iris", "loss=hinge", "trainer.epochs=2"],
    "perceptron": ["model=perceptron", "data=logic", "trainer.epochs=5"],
    "gan": ["model=gan", "data=gaussians", "trainer.steps=5"],
    "autoencoder": ["model=autoencoder", "model.hidden=[16]", "model.latent_dim=4", "trainer.epochs=1"],
    "conditional vae": ["model=vae", "model.hidden=[16]", "model.condition=input", "trainer.epochs=1"],
    "vae of numbers": ["model=vae", "model.hidden=[16]", "loss=gaussian", "data=iris", "trainer.epochs=2"],
    "cyclegan": [
        *("model=cyclegan", "model.width=2", "model.blocks=1", "model.discriminator_width=2", "data=digit_pairs"),
        *("data.test_fraction=0.6", "trainer.steps=3", "trainer.epochs=null"),
    ],
    "styles": ["model=lenet", "data=digit_styles", "optim.lr=0.003", "trainer.epochs=1"],
    "gpt": [
        *("model=gpt", "model.dim=16", "model.depth=1", "model.num_heads=2", "data=text", "data.path={texts}/text.txt"),
        *("data.length=16", "trainer.steps=5", "trainer.epochs=null"),
    ],
    "lstm": [
        *("model=lstm", "model.hidden_dim=16", "data=text", "data.path={texts}/text.txt", "data.tokenizer.kind=word"),
        *("data.length=8", "data.batch_size=8", "trainer.steps=5", "trainer.epochs=null"),
    ],
    "tags": [
        *("model=lstm", "model.hidden_dim=8", "model.embedding_dim=8", "data=conllu", "data.root={texts}"),
        *("optim.lr=0.05", "trainer.epochs=8"),
    ],
    "cloze": [
        *("model=lstm", "model.hidden_dim=16", "model.bidirectional=true", "task=cloze", "data=names"),
        *("data.path={texts}/names.txt", "optim.lr=0.02", "trainer.epochs=30"),
    ],
    "reversal": [
        *("model=lstm", "model.hidden_dim=16", "model.embedding_dim=8", "data=reversal", "data.num_samples=200"),
        *("task.metrics=[exact_match,bleu]", "trainer.epochs=1"),
    ],
    "names": [
        *(
            "model=gpt",
            "model.dim=16",
            "model.depth=1",
            "model.num_heads=2",
            "data=names",
            "data.path={texts}/names.txt",
        ),
        *("optim.lr=0.01", "trainer.epochs=20"),
    ],
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`trained("lenet")` is the folder of that run."""
    folder, made = tmp_path_factory.mktemp("runs"), {}

    def run(name: str) -> Path:
        if name not in made:
            path = folder / name
            words = [f"run.dir={path}", "trainer.device=cpu", "trainer.threads=1", "logger.plots=false"]
            write_every_text(folder / "texts")
            words += [word.replace("{texts}", str(folder / "texts")) for word in TRAININGS[name]]
            request = argparse.Namespace(overrides=words, config_dir=[], source=None)
            assert train(*read_config(request), quiet=True).exit_code == 0
            torch.set_num_threads(1)
            made[name] = path
        return made[name]

    return run


@pytest.fixture
def load(trained: Callable[[str], Path]) -> Callable[..., Run]:
    """`load("lenet", checkpoint="best")` is that run, for use."""
    return lambda name, **settings: Run(RunFolder(trained(name)), **settings)
