"""`dltool sample` of generative models, as it is typed."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from places import NUMBERS_ONLY

import dltool
from dltool.inference.run import Run
from dltool.inference.sample_generator import SampleGenerator
from dltool.runs.folder import RunFolder

Dltool = Callable[..., subprocess.CompletedProcess[str]]
TINY = [
    *("model.generator_width=2", "model.discriminator_width=2", "model.latent_dim=4", "data=digits"),
    *("data.batch_size=200", "trainer.epochs=null", "trainer.steps=3", *NUMBERS_ONLY, "--quiet"),
]


@pytest.fixture
def conditional(trained_here: Callable[..., Path]) -> Path:
    """A run with an average of its weights."""
    words = ["model=dcgan", "model.condition=every_layer", *TINY, "trainer.average.kind=ema"]
    return trained_here("outputs/c", *words, "logger.samples_every_n_steps=1")


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_of_a_class_and_of_seeds(dltool_here: Dltool, conditional: Path) -> None:
    done = dltool_here("sample", "c", "--seeds", "0-2,9", "--class", "7", "--output", "sevens")
    assert done.returncode == 0, done.stderr
    assert "4 samples drawn in sevens" in done.stdout
    files = sorted(path.name for path in Path("sevens").iterdir())
    assert files == [f"seed-{seed}_class-7.png" for seed in (0, 1, 2, 9)]
    assert pixels(Path("sevens/seed-9_class-7.png")).shape == (8, 8)
    # A seed's sample is the same beside others, and another class's is another.
    assert dltool_here("sample", "c", "--seeds", "9", "--class", "7,3", "--output", "alone").returncode == 0
    assert np.array_equal(pixels(Path("alone/seed-9_class-7.png")), pixels(Path("sevens/seed-9_class-7.png")))
    assert dltool_here("sample", "c", "--seeds", "9", "--class", "3", "--output", "three").returncode == 0
    assert not np.array_equal(pixels(Path("three/seed-9_class-3.png")), pixels(Path("sevens/seed-9_class-7.png")))


def test_classes_in_turn_and_the_grid(dltool_here: Dltool, conditional: Path) -> None:
    assert dltool_here("sample", "c", "--count", "30").returncode == 0
    assert Image.open(conditional / "samples" / "step-000003.png").mode == "L"
    run = Run(RunFolder(conditional))
    alone = torch.cat([run.generate(seeds=[i], classes=[i]) for i in range(10)])
    assert torch.allclose(run.generate(10), alone, atol=1e-5)


def test_requests_that_differ_have_files_that_differ(dltool_here: Dltool, conditional: Path) -> None:
    requests = {
        "": (),
        "_seed-3": ("--seed", "3"),
        "_count-2": ("--count", "2"),
        "_class-3,5": ("--class", "3,5"),
        "_interpolate-4": ("--interpolate", "4"),
        "_seeds-0,1_interpolate-4": ("--seeds", "0-1", "--interpolate", "4"),
        "_weights-raw": ("--weights", "raw"),
    }
    before = {path.name: path.read_bytes() for path in (conditional / "samples").iterdir()}
    for words in requests.values():
        done = dltool_here("sample", "c", *words)
        assert (done.returncode, "replaces" in done.stdout) == (0, False), done.stderr
    names = {path.name for path in (conditional / "samples").iterdir()}
    assert names - before.keys() == {f"step-000003_sampled{request}.png" for request in requests}
    assert all((conditional / "samples" / name).read_bytes() == content for name, content in before.items())
    assert "step-000003_sampled.png, which replaces the earlier file" in dltool_here("sample", "c").stdout
    assert dltool_here("sample", "c", "--seeds", "0-59", "--count", "1").returncode == 0
    (long,) = {path.name for path in (conditional / "samples").iterdir()} - names
    assert len(long) < 120
    assert re.search(r"-[0-9a-f]{8}\.png$", long)


def test_averaged_and_raw_weights(dltool_here: Dltool, conditional: Path) -> None:
    folder = RunFolder(conditional)
    ema, raw = Run(folder, weights="ema"), Run(folder, weights="raw")
    assert torch.equal(ema.generate(3), Run(folder).generate(3))
    assert not torch.equal(ema.generate(3), raw.generate(3))
    assert (ema.described_checkpoint, raw.described_checkpoint) == (
        "step-000003 (last, averaged weights)",
        "step-000003 (last, not averaged)",
    )
    done = dltool_here("sample", "c", "--weights", "raw", "--output", "raw.png")
    assert "not averaged" in done.stdout


def test_interpolation_begins_and_ends_at_its_seeds(dltool_here: Dltool, conditional: Path) -> None:
    words = ["--seeds", "3,4,5", "--interpolate", "4", "--class", "1", "--output", "way"]
    assert dltool_here("sample", "c", *words).returncode == 0
    assert dltool_here("sample", "c", "--seeds", "3-5", "--class", "1", "--output", "ends").returncode == 0
    files = sorted(path.name for path in Path("way").iterdir())
    assert len(files) == 8
    assert files[0] == "seed-3_to_4_00.png"
    for file, seed in (("seed-3_to_4_00", 3), ("seed-3_to_4_03", 4), ("seed-4_to_5_00", 4), ("seed-4_to_5_03", 5)):
        difference = pixels(Path(f"way/{file}.png")).astype(int) - pixels(Path(f"ends/seed-{seed}_class-1.png"))
        assert abs(difference).max() <= 1
    assert not np.array_equal(pixels(Path("way/seed-3_to_4_01.png")), pixels(Path("way/seed-3_to_4_00.png")))
    assert dltool_here("sample", "c", "--interpolate", "6", "--output", "way.png").returncode == 0


@pytest.fixture
def styled(trained_here: Callable[..., Path]) -> Path:
    small = ("model.latent_dim=4", "model.w_dim=4", "model.width=4", "model.max_width=4", "data.batch_size=100")
    words = ("model=stylegan2", "model.condition=input", "data=digits", *small, "logger.samples=false")
    return trained_here("outputs/s", *words, "trainer.epochs=null", "trainer.steps=2", *NUMBERS_ONLY, "--quiet")


def test_mixed_styles_from_one_source_alone_are_that_source(dltool_here: Dltool, styled: Path) -> None:
    request = ["--seeds", "0-2", "--mix-seeds", "5,6", "--class", "3,5", "--truncation", "0.8"]
    for crossover, source in ((0, "above"), (4, "left")):
        done = dltool_here("sample", "s", "--mix", str(crossover), *request, "--output", f"mix-{crossover}")
        assert done.returncode == 0, done.stderr
        folder = Path(f"mix-{crossover}")
        mixed = sorted(folder.glob("seed-*_with_*.png"))
        assert len(mixed) == 6
        for path in mixed:
            left, above = path.stem.split("_with_")
            expected = folder / (f"above_{above}.png" if source == "above" else f"left_{left}.png")
            assert np.array_equal(pixels(path), pixels(expected)), (crossover, path)
    maker = SampleGenerator(Run(RunFolder(styled)))
    above, left = [0, 1, 2], [5, 6]
    alone = maker.samples(0, seeds=above + left).values
    for crossover in (0, 4, 2):
        samples = maker.mixtures(above, left, crossover)
        assert (samples.columns, samples.num_empty, len(samples.values)) == (4, 1, 11)
        torch.testing.assert_close(samples.values[:3], alone[:3], rtol=0, atol=1e-6)
        for row in range(2):
            cells = samples.values[3 + 4 * row : 7 + 4 * row]
            torch.testing.assert_close(cells[0], alone[3 + row], rtol=0, atol=1e-6)
            for column in range(3):
                of_left = torch.allclose(cells[1 + column], alone[3 + row], rtol=0, atol=1e-6)
                of_above = torch.allclose(cells[1 + column], alone[column], rtol=0, atol=1e-6)
                assert (of_above, of_left) == (crossover == 0, crossover == 4)


def test_a_table_of_mixed_styles(dltool_here: Dltool, styled: Path) -> None:
    done = dltool_here("sample", "s", "--mix")
    assert done.returncode == 0, done.stderr
    table = pixels(styled / "samples" / "step-000002_sampled_mix-half.png")
    cell = table.shape[1] // 7
    assert (table[:cell, : cell - 8] == 96).all()  # The corner has no image.
    for words, message in (
        (["--mix", "5"], "has 4 layers with a style"),
        (["--mix-seeds", "1"], "--mix-seeds names the samples at the left"),
        (["--mix", "2", "--interpolate", "3"], "not allowed with"),
    ):
        done = dltool_here("sample", "s", *words)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_picture_every_step_and_a_gif_of_them(conditional: Path) -> None:
    steps = [f"step-{step:06d}.png" for step in (1, 2, 3)]
    assert sorted(path.name for path in (conditional / "samples").iterdir()) == [*steps, "training.gif"]
    with Image.open(conditional / "samples" / "training.gif") as gif:
        assert gif.n_frames == 3


def test_from_python(conditional: Path) -> None:
    samples = dltool.load(conditional).generate(2, classes=["7"], seed=5)
    assert samples.shape == (2, 1, 8, 8)
    assert samples.abs().max() <= 1


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--class", "11"], "has no class 11; its 10 classes are 0, 1, 2", "--class"),
        (["--truncation", "0.7"], "no sampling option truncation, an option of task=stylegan2; it has none", ""),
        (["--truncate", "0.7"], "sample has no --truncate", "--help"),
        (["--mix"], "has no styles that can be mixed", "model=stylegan2"),
        (["--mix", "c"], "c is not a number of layers; the run comes before --mix", ""),
        (["--prompt", "x"], "generates no text, so --prompt does not apply", "--count N"),
        (["--weights", "swa"], "kept no swa of its weights", "--weights ema"),
        (["--interpolate", "1"], "an interpolation needs at least two seeds", "--seeds 0-4 --interpolate 8"),
        (["--seeds", "3", "--interpolate", "5"], "an interpolation needs at least two seeds", "--seeds 0-4"),
        (["--seeds", "x"], "--seeds", "--help"),
        (["--output", "x.nopicture"], "cannot be written", "--output FILE.png, or a folder"),
    ],
)
def test_what_is_wrong_is_said(
    words: list[str], message: str, hint: str, dltool_here: Dltool, conditional: Path
) -> None:
    done = dltool_here("sample", "c", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr


def test_a_class_of_an_unconditional_run(dltool_here: Dltool, tmp_path: Path) -> None:
    assert dltool_here("train", "model=dcgan", *TINY, "run.dir=outputs/u").returncode == 0
    done = dltool_here("sample", "u", "--class", "7")
    assert done.returncode == 2
    assert "was trained without classes" in done.stderr
    assert "model.condition=every_layer" in done.stderr


def test_no_samples_of_a_classifier(dltool_here: Dltool, tmp_path: Path) -> None:
    assert (
        dltool_here("train", "trainer.epochs=null", "trainer.steps=1", "run.dir=outputs/l", "--quiet").returncode == 0
    )
    done = dltool_here("sample", "l")
    assert done.returncode == 2
    assert "neither a language model nor a generative one" in done.stderr


@pytest.fixture
def denoised(trained_here: Callable[..., Path]) -> Path:
    words = ["model.width=4", "model.blocks=1", "model.condition=class", "data.batch_size=200", *NUMBERS_ONLY]
    length = ["trainer.epochs=null", "trainer.steps=2", "--quiet"]
    return trained_here("outputs/d", "model=unet", "data=digits", *words, *length)


def test_the_options_of_the_task_are_flags(dltool_here: Dltool, denoised: Path) -> None:
    shown = dltool_here("sample", "d", "--help").stdout
    assert "sampling options of unet on digits (task=diffusion)" in shown
    assert all(option in shown for option in ("--guidance X", "--steps N", "--eta X"))
    assert "--guidance" not in dltool_here("sample", "--help").stdout
    words = ["--class", "7", "--seeds", "0-2", "--output"]
    for name, options in {"plain": [], "few": ["--steps", "3"], "guided": ["--guidance", "2", "--steps=3"]}.items():
        done = dltool_here("sample", *options, "d", *words, name)
        assert done.returncode == 0, done.stderr
    plain, few, guided = (pixels(Path(name) / "seed-1_class-7.png") for name in ("plain", "few", "guided"))
    assert not np.array_equal(plain, few)
    assert not np.array_equal(few, guided)
    assert torch.equal(dltool.load(denoised).generate(2, steps=3), dltool.load(denoised).generate(2, steps=3, eta=1))


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--guidance", "-1"], "sampling option guidance=-1: a number >= 0 or null is needed", "classifier-free"),
        (["--steps", "2000"], "steps=2000: the training had 1000 time steps", "steps=1000"),
        (["--steps", "1.5"], "sampling option steps=1.5: an integer > 0 or null is needed", "fewer are faster"),
        (["--temperature", "1"], "no sampling option temperature, an option of task=language_model", ""),
    ],
)
def test_a_wrong_option_is_said(words: list[str], message: str, hint: str, dltool_here: Dltool, denoised: Path) -> None:
    done = dltool_here("sample", "d", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr


def test_an_evaluation_with_other_sampling(dltool_here: Dltool, denoised: Path) -> None:
    done = dltool_here("evaluate", "d", "task.sampling_steps=3", "task.guidance=1")
    assert done.returncode == 0, done.stderr
    refused = dltool_here("evaluate", "d", "task.prediction=v")
    assert refused.returncode == 2
    assert "task.prediction was epsilon in this run" in refused.stderr
    assert (
        "task.metrics, task.num_samples, task.features, task.sampling_steps, task.eta, task.guidance" in refused.stderr
    )
