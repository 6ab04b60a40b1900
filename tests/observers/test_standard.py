"""Which observers a training has, and that each decides by what the task and the data offer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.runs.folder import RunFolder
from dltool.training.session import Session

SHORT = ["trainer.steps=2", "data.batch_size=8", "trainer.test=none"]
NETWORK = {"curves.png", "kernels.png"}


@pytest.mark.parametrize(
    ("words", "plots", "samples"),
    [
        (["model=mlp", "data=iris", "data.val_fraction=0"], {"curves.png"}, False),
        (
            ["model=mlp", "data=digits", "data.val_fraction=0", "data.augment.shift=1"],
            {*NETWORK, "augmented.png"},
            False,
        ),
        (["model=gan", "data=digits"], {"curves.png"}, True),
        (["model=vae", "data=digits", "model.hidden=[8]"], {"curves.png", "latent_plane.png"}, True),
        (
            ["model=unet", "data=digits", "model.width=4", "task.sampling_steps=2"],
            {"curves.png", "denoising.png"},
            True,
        ),
        (["model=rnn", "data=digits_rows"], {"curves.png", "gradient_over_time.png"}, False),
        (
            ["model=cyclegan", "model.width=4", "model.blocks=1", "model.discriminator_width=4", "data=digit_pairs"],
            {"curves.png"},
            True,
        ),
        (["model=mlp", "data=digits", "logger.plots=false"], set(), False),
        (["model=gan", "data=digits", "logger.samples=false"], {"curves.png"}, False),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_pictures_of_each_kind_of_training(
    words: list[str], plots: set[str], samples: bool, configure: Callable[..., Config], tmp_path: Path
) -> None:
    session = Session(prepare(configure(*SHORT, "logger.every_n_steps=1", *words)), RunFolder(tmp_path), quiet=True)
    session.trainer.fit()
    found = {path.name for path in (tmp_path / "plots").glob("*")}
    assert found - {"feature_maps.png", "confusion.png", "misclassified.png"} == plots
    assert (tmp_path / "samples" / "step-000002.png").exists() == samples
