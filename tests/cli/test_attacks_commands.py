"""Attacks and adversarial training as they are typed; runs from before there were any."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from fabricated import without_checksums

from dltool.config.check import check
from dltool.config.compose import compose_from

Dltool = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ["model=mlp", "model.hidden=[16]", "trainer.epochs=1", "trainer.threads=1", "logger.plots=false", "--quiet"]


@pytest.fixture
def run(trained_here: Callable[..., Path]) -> Path:
    """A plain training on digits, in outputs/p, whose config knows of no attack and whose spec of no pixels."""
    folder = trained_here("outputs/p", *SHORT, "optim.lr=0.01", "trainer.epochs=3")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config.pop("attack") == {"name": "none"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    saved = json.loads((folder / "preprocessing.json").read_text())
    assert len(saved["spec"].pop("pixel_shift")) == len(saved["spec"].pop("pixel_factor")) == 1
    (folder / "preprocessing.json").write_text(json.dumps(saved))
    without_checksums(folder)
    return folder


def measured(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    assert done.returncode == 0, done.stderr
    metrics: dict[str, float] = json.loads(done.stdout)["metrics"]
    return metrics


def test_a_run_from_before_is_measured_resumed_and_repeated(dltool_here: Dltool, run: Path) -> None:
    plain = measured(dltool_here("evaluate", "p", "--json"))
    assert set(plain) == {"loss", "accuracy"}
    attacked = measured(dltool_here("evaluate", "p", "attack=pgd", "attack.steps=5", "--json"))
    assert {name: attacked[name] for name in plain} == plain  # On the same split.
    assert attacked["attacked_accuracy"] < 0.1 < plain["accuracy"]
    assert attacked["perturbation"] == pytest.approx(0.3, abs=1e-4)
    again = measured(dltool_here("evaluate", "p", "attack=pgd", "attack.steps=5", "--json"))
    assert again == attacked
    noisy = measured(dltool_here("evaluate", "p", "attack=noise", "attack.eps=0.05", "--json"))
    assert noisy["attacked_accuracy"] > plain["accuracy"] - 0.1
    assert dltool_here("resume", "p", "trainer.epochs=4", "--quiet").returncode == 0
    assert dltool_here("train", "--from", "p", "run.dir=outputs/q", "--quiet").returncode == 0
    saved = yaml.safe_load(Path("outputs/q/config.yaml").read_text())
    assert saved["attack"] == {"name": "none"}
    words = ["task=adversarial", "attack=fgsm_rs", "trainer.epochs=1", "run.dir=outputs/r", "--quiet"]
    assert dltool_here("train", "--from", "p", *words).returncode == 0


def test_only_groups_with_nothing_may_be_missing(run: Path) -> None:
    assert check(compose_from(run / "config.yaml", [])).tree["attack"] == {"name": "none"}
    config = yaml.safe_load((run / "config.yaml").read_text())
    del config["schedule"]
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(Exception, match="schedule"):
        check(compose_from(run / "config.yaml", []))


def test_evaluation_says_and_draws_what_was_done(dltool_here: Dltool, run: Path) -> None:
    words = ["attack=margin", "attack.norm=l2", "attack.eps=1.5", "attack.steps=3", "attack.num_samples=20"]
    done = dltool_here("evaluate", "p", *words, "--plots", "pictures")
    assert done.returncode == 0, done.stderr
    assert "attacked: margin, pgd, 3 steps of 1.25, L2 eps 1.5 in pixels of [0, 1], the first 20 samples" in done.stdout
    assert "attacked.png" in done.stderr
    assert Path("pictures/attacked.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["task=adversarial", "attack.eps=8"], "attack.eps=8 is more than the whole", "attack.eps=0.0314 for 8/255"),
        (["task=adversarial", "attack=none"], "trains against an attack, but attack=none", "attack=pgd"),
        (["task=adversarial", "data=iris"], "inputs of this data are not images", "data=digits"),
        (["attack=pgd", "data=iris"], "inputs of this data are not images", "attack=none"),
        (["task=perturbation_game", "data=iris"], "inputs of this data are not images", "data=digits"),
        (["attack=pgd", "model=gan"], "task=gan does not classify images", "attack=none"),
        (["attack=pgd", "data=names", "model=lstm", "data.path=names.txt"], "does not classify images", "attack="),
        (["task=adversarial", "attack=pdg"], "there is no such attack", "did you mean attack=pgd?"),
        (["task=adversarial", "attack.eps=-1"], "attack.eps=-1", "attack.eps=0.3"),
        (["task=adversarial", "loss=hinge", "task.method=trades"], "compares probabilities", "loss=cross_entropy"),
        (
            ["task=adversarial", "loss=cross_entropy", "task.method=trades", f"loss.class_weights={[1] * 10}"],
            "loss.class_weights does not",
            "loss.class_weights=null",
        ),
        (["task=perturbation_game", "task.attacker_channels=[4]"], "needs two numbers", "[16,32]"),
        (["task=perturbation_game", "data.augment.mixup=1"], "mix classes", "data.augment.mixup=0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_in_a_training(
    words: list[str], message: str, hint: str, dltool_here: Dltool, tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("anna\nbert\ncarla\n" * 20)
    model = [word for word in SHORT if "model" not in word or not any("model=" in w for w in words)]
    done = dltool_here("train", *model, *words)
    assert done.returncode == 2
    error, advice = done.stderr.strip().splitlines()[-2:]
    assert message in error
    assert advice.startswith("hint: ")
    assert hint in advice
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["attack=pgd", "attack.eps=8"], "attack.eps=8 is more than the whole", "attack.norm=l2"),
        (["attack.eps=0.1"], "unknown key attack.eps", "eps is a key of attack=fgsm"),
        (["optim=sgd", "attack=pgd"], "optim", "start a new training"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_in_an_evaluation(
    words: list[str], message: str, hint: str, dltool_here: Dltool, run: Path
) -> None:
    done = dltool_here("evaluate", "p", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert hint in done.stderr


def test_an_adversarial_run_from_training_to_use(dltool_here: Dltool) -> None:
    words = ["task=adversarial", "attack.steps=2", "attack.eps=0.05", "run.dir=outputs/a"]
    done = dltool_here("train", *SHORT, *words)
    assert done.returncode == 0, done.stderr
    attacked = measured(dltool_here("evaluate", "a", "--json"))
    assert {"accuracy", "attacked_accuracy"} < set(attacked)
    stronger = measured(dltool_here("evaluate", "a", "attack.steps=10", "attack.restarts=2", "--json"))
    assert stronger["attacked_accuracy"] <= attacked["attacked_accuracy"]
    other = measured(dltool_here("evaluate", "a", "attack=noise", "--json"))
    assert other["accuracy"] == attacked["accuracy"]
    refused = dltool_here("resume", "a", "trainer.epochs=2", "attack.eps=0.1")
    assert (refused.returncode, "attack.eps was 0.05" in refused.stderr) == (2, True)


def test_a_game_leaves_a_plain_classifier(dltool_here: Dltool) -> None:
    done = dltool_here("train", *SHORT, "task=perturbation_game", "task.attacker_channels=[2,2]", "run.dir=outputs/g")
    assert done.returncode == 0, done.stderr
    own = measured(dltool_here("evaluate", "g", "--json"))
    assert set(own) == {"loss", "accuracy", "perturbed_loss", "perturbed_accuracy"}
    tested = json.loads(Path("outputs/g/status.json").read_text())["metrics"]
    assert own["perturbed_loss"] == pytest.approx(tested["test/perturbed_loss"])  # By the attacker of the checkpoint.
    assert dltool_here("train", *SHORT, "init_from=outputs/g", "run.dir=outputs/h").returncode == 0
