"""What of a GAN's config cannot go together ends with a hint before anything runs."""

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "message", "hint"),
    [
        (
            ["model=dcgan", "loss=wasserstein_gp"],
            "batch norm makes D's output",
            "model.discriminator_norm=layer, or null",
        ),
        (
            ["model=lsgan", "loss=relativistic"],
            "batch norm makes D's output",
            "model.discriminator_norm=layer, or null",
        ),
        (
            ["model=wgan", "model.discriminator_output=sigmoid"],
            "need a critic or a logit without bounds",
            "model.discriminator_output=logit, or loss=least_squares_gan",
        ),
        (["model=gan", "model.discriminator_output=sigmoid"], "bounds D by 0 and 1", "loss=least_squares_gan"),
        (["model=cgan", "data=diabetes"], "the data has no classes", "model.condition=none"),
        (
            ["model=dcgan", "model.condition=projection", "data=image_folder", "data.root=x", "loss=mse"],
            "does not fit",
            "",
        ),
        (["model=dcgan", "data=iris"], "takes images", "model=mlp takes either"),
    ],
)
def test_refused(overrides, message, hint):
    with pytest.raises(ConfigError, match=message) as error:
        check(compose(overrides))
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("model", "loss", "norm"),
    [
        ("gan", "non_saturating", None),
        ("dcgan", "non_saturating", "batch"),
        ("lsgan", "least_squares_gan", "batch"),
        ("wgan", "wasserstein", "batch"),
        ("wgan_gp", "wasserstein_gp", "layer"),
        ("sngan", "hinge_gan", "spectral"),
    ],
)
def test_a_model_picks_the_pair(model, loss, norm):
    config = check(compose([f"model={model}"]))
    assert config.chosen_loss == loss
    assert config["model"].get("discriminator_norm") == norm


def test_the_command_line_beats_the_model():
    config = check(compose(["model=dcgan", "loss=wasserstein", "optim=sgd"]))
    assert (config.chosen_loss, config["optim"]["name"]) == ("wasserstein", "sgd")
