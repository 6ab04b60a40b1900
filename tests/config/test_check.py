"""Every wrong config is refused before anything runs, with the key, what is allowed and the nearest name."""

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError

WRONG = [
    # overrides, words of the message, words of the hint
    ("optim.lr=abc", "optim.lr=abc: a number > 0", "optim.lr=0.001"),
    ("optim.lr=-1", "optim.lr=-1: a number > 0", "optim.lr=0.001"),
    ("optim.lr=0", "optim.lr=0: a number > 0", "optim.lr=0.001"),
    ("optim.lr=nan", "optim.lr=nan: a number > 0", "optim.lr=0.001"),
    ("optim.lr=inf", "optim.lr=inf: a number > 0", "optim.lr=0.001"),
    ("optim.lr=[1]", "optim.lr=[1]: a number > 0", "optim.lr=0.001"),
    ("optim.lr=true", "optim.lr=true: a number > 0", "optim.lr=0.001"),
    ("optim.lr=null", "optim.lr=null: a number > 0", "optim.lr=0.001"),
    ("optim.betas=[0.9]", "optim.betas=[0.9]: a list of 2", "is 'optim.betas=[0.9,0.999]'"),
    ("optim.betas=[0.9,1.0]", "optim.betas[1]=1.0: a number in [0, 1)", "is 'optim.betas=[0.9,0.999]'"),
    ("trainer.epochs=3.5", "trainer.epochs=3.5: an integer > 0", "trainer.epochs=auto"),
    ("trainer.epochs=0", "trainer.epochs=0: an integer > 0", "trainer.epochs=auto"),
    ("trainer.epochs=null", "both null", "trainer.epochs=auto"),
    ("trainer.precision=16", "trainer.precision=16: one of 32, bf16-mixed, 16-mixed", "trainer.precision=32"),
    ("trainer.checkpoint.keep_lst=3", "unknown key trainer.checkpoint.keep_lst", "trainer.checkpoint.keep_last"),
    ("trainer.checkpoint=3", "trainer.checkpoint=3: a mapping", None),
    ("data.batch_size=0", "data.batch_size=0: an integer > 0 or full", "data.batch_size="),
    ("data.batch_size=ful", "data.batch_size=ful", "data.batch_size=full"),
    ("data.augment.shfit=1", "unknown key data.augment.shfit", "data.augment.shift"),
    ("data.augment.zoom=1", "data.augment.zoom=1: a number in [0, 1)", None),
    ("model=gan data.augment.mixup=1", "data.augment.mixup and data.augment.cutmix mix classes", "mixup=0"),
    ("seed=-1", "seed=-1: an integer >= 0", "seed=0"),
    ("optm=adam", "unknown key optm", "did you mean optim"),
    ("+sed=1", "unknown key sed", "did you mean seed"),
    ("model=lenett", "model=lenett: there is no such model; the options are ", "model=lenet"),
    ("data=houses.csv", "there is no such data", "data=csv data.path=houses.csv data.target=COLUMN"),
    ("data=TEXTS.TXT", "there is no such data", "data=text data.path=TEXTS.TXT"),
    ("data=pictures/", "there is no such data", "data=image_folder data.root=pictures/"),
    (
        "model=lenet model.hidden=3",
        "model.hidden=3: a list of 2, each item an integer > 0 is needed",
        "hidden=[120,84]",
    ),
    ("model=[lenet]", "there is no such model", None),
    ("model.name=lenett", "model.name=lenett", "lenet"),
    ("model.hiden=3", "unknown key model.hiden", "did you mean model.hidden"),
    ("+model.foo=3", "unknown key model.foo", None),
    ("optim=sgd optim.betas=[0.9,0.99]", "unknown key optim.betas (from the command line): sgd takes lr", "adam"),
    ("loss=cross_entropy data=diabetes model=mlp", "loss=cross_entropy does not fit data=diabetes", "loss=mse"),
    ("loss=binary_cross_entropy", "loss=binary_cross_entropy does not fit data=digits", "loss=cross_entropy"),
    ("loss=minimax", "loss=minimax does not fit", "loss=cross_entropy"),
    ("model=lenet data=iris", "model=lenet takes images", "model=mlp"),
    ("model=lstm data=iris", "model=lstm takes images (C, H, W) or sequences, but data=iris gives rows", "model=mlp"),
    ("task=gan", "task=gan cannot train model=lenet", "task=supervised"),
    ("model=perceptron data=logic optim=adam", "does not use optim=adam", "optim=none"),
    ("optim=none", "needs an optimizer", "optim=adam"),
    ("optim=lbfgs trainer.clip_norm=1", "lbfgs", None),
    ("model=gan optim=lbfgs", "lbfgs", None),
    ("optimizer=adam", "unknown key optimizer", "called optim here"),
    ("scheduler=cosine", "unknown key scheduler", "called schedule here"),
    ("max_epochs=3", "unknown key max_epochs", "trainer.epochs"),
    ("trainer.max_epochs=3", "unknown key trainer.max_epochs", "trainer.epochs"),
    ("lr=0.1", "unknown key lr", "optim.lr"),
    ("loss=bce", "there is no such loss", "binary_cross_entropy"),
    ("loss=l1", "there is no such loss", "loss=mae"),
    ("optim.lr=1,2", "several values for one run", "optim.lr=["),
    ("~optim", "~optim removes optim, which every config needs", "dltool list optim"),
    ("~nothing", "the config has no nothing", "dltool show"),
    ("model", "cannot read 'model'", "key=value"),
    ("seed.deep=3", "seed", None),
    ("experiment=nothing", "there is no such experiment", None),
]


@pytest.mark.parametrize(("overrides", "message", "hint"), WRONG, ids=[w[0] for w in WRONG])
def test_wrong_config(overrides: str, message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        check(compose(overrides.split(" ")))
    assert message in caught.value.message
    assert caught.value.exit_code == 2
    if hint is not None:
        assert caught.value.hint is not None
        assert hint in caught.value.hint


def test_command_line_beats_experiment_beats_model_beats_data() -> None:
    config = check(compose(["model=gan"]))
    assert (config["task"]["name"], config["optim"]["betas"]) == ("gan", [0.5, 0.999])
    config = check(compose(["model=gan", "optim=sgd", "loss=minimax"]))
    assert (config["optim"]["name"], config.chosen_loss) == ("sgd", "minimax")


def test_loss_follows_the_data() -> None:
    chosen = {data: check(compose(["model=mlp", f"data={data}"])).chosen_loss for data in ("iris", "moons", "diabetes")}
    assert chosen == {"iris": "cross_entropy", "moons": "binary_cross_entropy", "diabetes": "mse"}


def test_what_a_shell_user_types_is_quoted() -> None:
    config = check(compose(["data=mnist", "data.root=/数据/a (copy)/b=c,d"]))
    assert config["data"]["root"] == "/数据/a (copy)/b=c,d"


def test_plus_and_tilde_stay_as_hydra_users_know_them() -> None:
    config = check(compose(["+optim.lr=0.5", "~trainer.checkpoint.keep_last", "+optim.roles.model.lr=0.1"]))
    assert config["optim"]["lr"] == 0.5
    assert config["trainer"]["checkpoint"]["keep_last"] == 2  # The signature's default.
    assert config["optim"]["roles"] == {"model": {"lr": 0.1}}


def test_plain_references_are_resolved() -> None:
    assert (
        check(compose(["data.eval_batch_size=${data.batch_size}", "data.batch_size=7"]))["data"]["eval_batch_size"] == 7
    )


def test_origins() -> None:
    composed = compose(["model=gan", "optim.lr=3"])
    assert composed.origin("optim.lr") == "the command line"
    assert composed.origin("optim.betas") == "optim/adam_gan.yaml"
    assert composed.origin("model.latent_dim") == "model/gan.yaml"
    assert composed.origin("seed") == "train.yaml"
