"""What may stand under the cursor, without any shell."""

import subprocess
import sys
from pathlib import Path

import pytest
from fabricated import make_run
from places import command, one_thread

from dltool.cli.main import VERBS, make_parser, with_action
from dltool.completion.answer import Answer
from dltool.completion.complete import complete
from dltool.completion.shells import split_line
from dltool.declarations.options import GROUPS, option_files


def answer(line: str) -> Answer:
    return complete(make_parser(), [word.text for word in split_line(line)][1:], with_action)


def texts(line: str) -> list[str]:
    """The candidates as whole words."""
    found = answer(line)
    return [found.prefix + candidate.text for candidate in found.candidates]


def test_verbs_and_flags_are_those_of_the_parsers() -> None:
    assert texts("dltool ") == list(VERBS)
    assert "--multirun" in texts("dltool train -")
    assert "--multirun" not in texts("dltool train -m --")
    assert texts("dltool train -m --config-dir x --conf") == ["--config-dir"]  # It may be given again.
    assert texts("dltool runs ")[:2] == ["list", "show"]
    assert texts("dltool runs show --js") == ["--json"]
    assert texts("dltool runs --so") == ["--sort"]  # Of the usual action, list.
    assert texts("dltool train --cfg ") == ["job"]
    assert texts("dltool train --cfg=") == ["--cfg=job"]
    assert texts("dltool list op") == ["optim"]
    assert texts("dltool list met") == ["metric"]
    assert texts("dltool init --example au") == ["augmentation"]
    assert {"troubleshooting", "trainer"} <= set(texts("dltool help tr"))
    assert texts("dltool help model=lenet") == ["model=lenet", "model=lenet5_1998"]
    assert all(candidate.description for candidate in answer("dltool init --example ").candidates)
    assert "lenet_mnist" in texts("dltool reproduce ")


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_every_group_with_its_summary(group: str) -> None:
    assert texts(f"dltool train {group}=") == [f"{group}={name}" for name in option_files(group)]
    assert all(candidate.description for candidate in answer(f"dltool train {group}=").candidates)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dltool train mod", ["model=", "model."]),
        ("dltool train trainer.checkpoint.keep_", ["trainer.checkpoint.keep_last=", "trainer.checkpoint.keep_best="]),
        ("dltool train optim=sgd optim.nest", ["optim.nesterov="]),
        ("dltool train optim=sgd optim.nesterov=", ["optim.nesterov=true", "optim.nesterov=false"]),
        ("dltool train trainer.precision=b", ["trainer.precision=bf16-mixed"]),
        ("dltool train trainer.clip_norm=", ["trainer.clip_norm=null"]),
        ("dltool train -m model=mlp,gan,lenet5", ["model=mlp,gan,lenet5_1998"]),
        ("dltool train -m model=mlp,ml", []),  # Once is enough.
        ("dltool train -m model=choice(mlp,perc", ["model=choice(mlp,perceptron"]),
        (
            "dltool train logger.to=[",
            [f"logger.to=[{t}" for n in ("tensorboard", "wandb", "mlflow") for t in (n + ",", n + "]")],
        ),
        ("dltool train ~optim.amsg", ["~optim.amsgrad"]),
        ("dltool train +optim.amsg", ["+optim.amsgrad="]),
        ("dltool train stop.mod", ["stop.mode="]),
        ("dltool train 'model=percep", ["model=perceptron"]),
        ("dltool train -m sweep.n", ["sweep.n_jobs="]),
        ("dltool train sweep.n", []),
        ("dltool tune tune.sampler=r", ["tune.sampler=random"]),
        ("dltool train frob.", []),
        ("dltool train model.frob=", []),
        ("dltool train model=frob model.", []),
        ("dltool frob model=", []),
    ],
)
def test_overrides(line: str, expected: list[str]) -> None:
    assert texts(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dltool train optim.lr=", "optim.lr=0.001"),  # The root's choice.
        ("dltool train model=gan optim.betas=", "optim.betas=[0.5,0.999]"),  # The model's.
        ("dltool train model=gan optim=sgd optim.momentum=", "optim.momentum=0.0"),  # The line's.
        ("dltool train experiment=lenet_mnist optim.lr=", "optim.lr=0.003"),  # The experiment's field.
        ("dltool train experiment=gan_mnist model.latent_dim=", "model.latent_dim=64"),  # The experiment's model.
        ("dltool train debug=quick trainer.epochs=", "trainer.epochs=2"),
    ],
)
def test_keys_follow_what_the_line_selects(line: str, expected: str) -> None:
    assert expected in texts(line)


def test_paths_are_the_shells_business() -> None:
    assert answer("dltool train --config-dir=ab").paths == "folders"
    assert answer("dltool train --config-dir=ab").prefix == "--config-dir="
    assert answer("dltool train data=csv data.path=ab/c") == Answer(prefix="data.path=", paths="files")
    assert answer("dltool train data=mnist data.root=").paths == "folders"
    assert answer("dltool runs plot --output ").paths == "files"


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "我的.yaml").write_text("# Mine.\nname: mlp\nhidden: [7]\n", encoding="utf-8")
    (tmp_path / "model" / "broken.yaml").write_text("# Broken.\n}{", encoding="utf-8")
    (tmp_path / "model" / "wide.yaml").write_text("# Wide.\ndefaults: [我的, _self_]\n", encoding="utf-8")
    assert texts(f"dltool train --config-dir={tmp_path} model=wide model.hidden=") == ["model.hidden=[7]"]
    assert texts(f"dltool train --config-dir {tmp_path} model=我") == ["model=我的"]
    assert texts(f"dltool train --config-dir={tmp_path} model=我的 model.hidden=") == ["model.hidden=[7]"]
    assert texts(f"dltool train --config-dir={tmp_path} model=broken model.") == []


def test_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert answer("dltool resume ").paths == "folders"  # There is none yet.
    older = make_run(Path("outputs/2026-01-01/12-00-00_mlp_iris"), {"optim.lr": 0.1})
    newer = make_run(Path("outputs/2026-01-02/12-30-00_lenet_digits"), {"optim.lr": 0.2})
    for line in ("dltool resume ", "dltool runs show ", "dltool train --from ", "dltool runs compare "):
        assert texts(line) == [str(newer), str(older)], line
    assert texts("dltool resume 12-30") == ["12-30-00_lenet_digits"]
    assert texts(f"dltool runs compare {newer} out") == [str(older)]
    assert texts("dltool runs state=fin") == ["state=finished"]
    assert texts("dltool runs list optim.lr=") == ["optim.lr=0.2", "optim.lr=0.1"]
    assert texts("dltool runs --sort val/") == ["val/loss"]
    assert texts("dltool runs --columns optim.lr,sta") == ["optim.lr,state"]
    (older / "checkpoints" / "step-000098").mkdir()
    (older / "checkpoints" / "step-000099").mkdir()
    assert texts(f"dltool evaluate {older} --checkpoint ")[:3] == ["last", "step-000099", "step-000098"]
    assert answer(f"dltool predict {older} --input a.png b").paths == "files"
    assert texts(f"dltool predict {older} --input a.png b --js") == ["--json"]
    (older / "config.yaml").write_text("optim: {name: sgd, lr: 0.5}\n", encoding="utf-8")
    assert "optim.lr=0.5" in texts(f"dltool resume {older} optim.lr=")
    assert "optim.nesterov=" in texts(f"dltool train --from {older} optim.")


@pytest.mark.parametrize(
    "request_words", [[], ["bash"], ["csh", "dltool "], ["bash", "dltool 'x", ""], ["fish"], ["zsh"]]
)
def test_is_silent_whatever_is_asked(request_words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        command("__complete", *request_words), cwd=tmp_path, capture_output=True, timeout=60, env=one_thread()
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from dltool.cli.main import main\n"
        "assert main(['__complete', 'zsh', 'train', 'model=gan', 'optim.']) == 0\n"
        "heavy = {'torch', 'hydra', 'omegaconf', 'rich', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "optim.lr=\t" in done.stdout
