"""The figure of a GAN's game: D is the run's discriminator, and samples are its generator's."""

import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from PIL import Image
from places import NUMBERS_ONLY

from dltool.diagnostics.store import read_weights, weight_files
from dltool.plotting.adversaries import PlottedGame
from dltool.plotting.game_on_a_line import data_density, divergences, sample_density
from dltool.plotting.game_over_a_plane import game_grid, game_view, lattice
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]
SMALL = (
    *("model=gan", "model.generator_norm=null", "model.discriminator_dropout=0", "model.discriminator_hidden=[8]"),
    *("diagnostics=default", *NUMBERS_ONLY, "trainer.epochs=null", "run.dir=run"),
)
PLANE = ("data=gaussians", "data.num_samples=400", "data.std=0.2", "model.generator_hidden=[8]", "trainer.steps=12")
LINE = ("data=gaussians_1d", "data.num_samples=400", "trainer.steps=20", "model.latent_dim=2")


def trained(dltool_here: Dltool, *words: str) -> PlottedGame:
    done = dltool_here("train", *SMALL, *words)
    assert done.returncode == 0, done.stderr
    return PlottedGame(loaded(Path("run").resolve()))


def logits(game: PlottedGame, places: np.ndarray) -> np.ndarray:
    network = game.subject.task.model.discriminator.eval()
    result: np.ndarray = network(torch.tensor(places, dtype=torch.float32)).detach().double().numpy()
    return result


def test_discriminator_over_the_plane(dltool_here: Dltool) -> None:
    game = trained(dltool_here, *PLANE)
    assert dltool_here("plot", "run", "--figure", "game").returncode == 0
    assert {"game.png", "game_film.gif"} <= {path.name for path in Path("run/plots").iterdir()}
    grid = game_grid(game, 15)
    view = game_view(game, grid)
    assert view.is_probability
    expected = 1 / (1 + np.exp(-logits(game, grid.nodes).reshape(15, 15)))
    np.testing.assert_allclose(view.values, expected, atol=1e-6)
    z = lattice(game.adversaries)
    assert len(z) == len(view.lines) == 34
    assert (z[0][:, 0] == z[0][0, 0]).all()
    assert (z[-1][:, 2:] == 0).all()
    generated = game.subject.task.model.generator.eval()(z[3]).detach().numpy()
    np.testing.assert_allclose(view.lines[3], generated, atol=1e-6)
    with Image.open("run/plots/game_film.gif") as film:
        assert film.n_frames == len(weight_files(Path("run/diagnostics")))


def test_each_frame_has_the_weights_of_its_step(dltool_here: Dltool) -> None:
    game = trained(dltool_here, *PLANE)
    files = dict(weight_files(game.subject.folder))
    seen = {step: game.subject.task.model.state_dict()["discriminator.1.weight"].clone()
            for step in game.subject.replayed(100)}  # fmt: skip
    assert seen.keys() == files.keys()
    assert all(torch.equal(read_weights(files[step])["discriminator.1.weight"], seen[step]) for step in seen)


def test_a_critic_has_no_probability(dltool_here: Dltool) -> None:
    game = trained(dltool_here, *PLANE[:-1], "loss=wasserstein", "trainer.steps=2")
    grid = game_grid(game, 9)
    view = game_view(game, grid)
    assert not view.is_probability
    np.testing.assert_allclose(view.values.ravel(), logits(game, grid.nodes), atol=1e-6)


def test_an_affine_generator_has_an_exact_density(dltool_here: Dltool) -> None:
    game = trained(dltool_here, *LINE, "model.generator_hidden=[]")
    assert dltool_here("plot", "run", "--figure", "game").returncode == 0
    assert {"game.png", "game_film.gif"} <= {path.name for path in Path("run/plots").iterdir()}
    q, p = sample_density(game), data_density(game)
    layer = game.subject.task.model.generator[0]
    assert q.is_exact
    assert q.means[0] == pytest.approx(layer.bias.item(), abs=1e-6)
    assert q.std == pytest.approx(layer.weight.norm().item(), abs=1e-6)
    assert (p.is_exact, p.means.tolist(), p.std) == (True, [3.0], 0.5)
    found = divergences(game, p, 20)
    assert 0 < found.jensen_shannon <= math.log(2)
    assert found.value <= 2 * found.jensen_shannon - math.log(4)
    shift = abs(3 - q.means[0])  # Between normal distributions of about the same width.
    assert found.wasserstein == pytest.approx(shift, abs=abs(q.std - 0.5) + 1e-3)


def test_a_curved_generator_is_estimated(dltool_here: Dltool) -> None:
    game = trained(dltool_here, *LINE, "data.means=[-1,1]", "data.std=0.1", "model.generator_hidden=[8]")
    q = sample_density(game)
    assert not q.is_exact
    assert "bandwidth" in q.describe("q")
    samples = game.samples(1000)[:, 0]
    assert q.support[0] < samples.min() < samples.max() < q.support[1]
    assert data_density(game).means.tolist() == [-1, 1]


def test_what_the_game_needs(dltool_here: Dltool) -> None:
    data = ("data=gaussians_1d", "data.means=[-1,1]", "data.num_samples=100")
    words = (*data, "diagnostics=default", *NUMBERS_ONLY, "trainer.epochs=null", "trainer.steps=1", "run.dir=run")
    assert dltool_here("train", "model=mlp", *words).returncode == 0
    listed = dltool_here("plot", "run", "--figure", "list")
    assert "it is not an unconditional GAN" in listed.stdout
