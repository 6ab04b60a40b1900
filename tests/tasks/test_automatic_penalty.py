"""The penalty that follows the number of training samples: task.l2=auto."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from dltool.build.parts import describe
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.runs.folder import RunFolder
from dltool.training.show import describe_model

Configure = Callable[..., Config]


@pytest.mark.parametrize(
    ("words", "multiple"),
    [
        (["data=diabetes"], 1),  # The squared error is twice -log p of unit variance.
        (["data=diabetes", "loss=mse", "loss.reduction=half"], 1 / 2),
        (["data=diabetes", "loss=huber"], 1 / 2),
        (["data=iris"], 0),  # Classes.
        (["data=breast_cancer"], 0),
        (["data=example", "data.inputs=[[0.1,0.2]]", "data.targets=[[0.3]]"], 0),  # Nothing is held out.
    ],
)
def test_the_penalty_is_that_of_a_standard_normal_prior(
    words: list[str], multiple: float, configure: Configure
) -> None:
    parts = prepare(configure("model=mlp", *words))
    expected = multiple / parts.dataset.sizes["train"]
    assert parts.task.l2 == parts.auto["task.l2"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("words", "multiple"),
    [
        (["data=diabetes"], 1),
        (["data=iris"], 1 / 2),
        (["data=breast_cancer"], 1 / 2),  # One output.
        (["data=breast_cancer", "loss=cross_entropy"], 1),  # The difference of two outputs.
        (["data=csv", "data.path=labels.csv", "data.target=[rain,wind]"], 1 / 4),
        (["data=example", "data.inputs=[[0.1,0.2]]", "data.targets=[[0.3]]"], 0),  # Nothing is held out.
    ],
)
def test_a_prior_applies_to_every_target(
    words: list[str], multiple: float, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 3},{int(i % 2 == 0)},{int(i % 5 == 0)}" for i in range(40)]
    Path("labels.csv").write_text("\n".join(["a,b,rain,wind", *rows]))
    parts = prepare(configure("model=mlp", "task=supervised_ridge", *words))
    expected = multiple / parts.dataset.sizes["train"]
    assert parts.task.l2 == parts.auto["task.l2"] == pytest.approx(expected)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_bag_of_words_is_the_logistic_regression_of_scikit_learn(
    num_classes: int, configure: Configure, tmp_path: Path
) -> None:
    """In score differences, which an addition to all scores does not change."""
    rng = np.random.default_rng(num_classes)
    words = np.array(["rain", "wind", "snow", "sun", "fog", "hail"])
    texts = [" ".join(rng.choice(words, 8)) for _ in range(60)]
    labels = [f"c{rng.integers(num_classes) if rng.random() < 0.5 else len(text) % num_classes}" for text in texts]
    rows = [f"{text},{label}" for text, label in zip(texts, labels, strict=True)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]))
    data = ["data=text_csv", f"data.path={tmp_path / 'texts.csv'}", "data.text=text", "data.target=label"]
    exact = ["optim=lbfgs", "schedule=constant", "data.batch_size=full", "trainer.epochs=20"]
    parts = prepare(configure("model=bag_of_words", *data, *exact))
    trainer = build_trainer(parts, RunFolder(tmp_path / "run"))
    trainer.fit()
    samples = [
        one for batch in parts.dataset.evaluation("train") for one in zip(batch.inputs, batch.targets, strict=True)
    ]
    counts = torch.stack([torch.bincount(text[text > 0], minlength=parts.spec.num_tokens) for text, _ in samples])
    expected = LogisticRegression(tol=1e-8, max_iter=1000).fit(counts, [int(label) for _, label in samples])
    found = parts.task.model.weights.weight.detach().T.double()
    assert differences(found) == pytest.approx(differences(torch.tensor(expected.coef_)), abs=2e-3)


def differences(coefficients: torch.Tensor) -> np.ndarray:
    """Each class's coefficients less those of the first class `(K - 1, V)`; those of one output are differences."""
    return (coefficients if len(coefficients) == 1 else (coefficients - coefficients[:1])[1:]).numpy()


def test_a_sum_over_the_batch_has_the_batch_s_share_of_the_prior(configure: Configure) -> None:
    parts = prepare(configure("model=mlp", "data=diabetes", "loss=mse", "loss.reduction=sum"))
    assert parts.task.l2 == pytest.approx(1 / parts.dataset.train.batches_per_epoch)


def test_the_optimum_is_the_ridge_regression_of_scikit_learn(configure: Configure, tmp_path: Path) -> None:
    """A network without hidden layers has a closed form: (XᵀX + I)⁻¹Xᵀy of standardized data."""
    words = ["model=mlp", "model.hidden=[]", "data=diabetes", "optim=lbfgs", "schedule=constant"]
    parts = prepare(configure(*words, "data.batch_size=full", "trainer.epochs=20"))
    trainer = build_trainer(parts, RunFolder(tmp_path))
    trainer.fit()
    train = trainer.data.splits["train"]
    x, y = train.inputs.double(), train.targets.double()
    x, y = x - x.mean(0), y - y.mean(0)
    expected = torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]), x.T @ y).ravel()
    found = next(parts.task.model.parameters()).detach().double().ravel()
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


def test_show_and_the_log_print_the_penalty(configure: Configure) -> None:
    config = configure("model=mlp", "data=diabetes")
    parts = prepare(config)
    note = f"task.l2={1 / parts.dataset.sizes['train']:.4g} (weights N(0, 1) a priori, 310 samples)"
    assert f"penalty    {note}" in describe(parts)
    assert f"penalty: {note}" in describe_model(config).splitlines()


@pytest.mark.parametrize("word", ["task.l2=0", "task=supervised"])
def test_explicit_values_win(word: str, configure: Configure) -> None:
    parts = prepare(configure("model=mlp", "data=diabetes", word))
    assert parts.task.l2 == 0
    assert not any(line.startswith("penalty") for line in describe(parts))


@pytest.mark.parametrize("name", ["mlp_adult", "mlp_california", "mlp_mnist", "pgd_mnist"])
def test_recipes_have_no_penalty(name: str) -> None:
    assert compose([f"experiment={name}"]).tree["task"]["l2"] == 0


@pytest.mark.parametrize("model", ["linear", "logistic", "lenet"])
def test_other_models_have_none(model: str) -> None:
    assert compose([f"model={model}", "data=digits"]).tree["task"]["l2"] == 0


def test_tags_need_a_number(configure: Configure) -> None:
    with pytest.raises(ConfigError, match="mean over words"):
        configure("data=conllu", "model=lstm", "task=tagging", "task.l2=auto")


def test_a_network_on_few_rows_is_near_least_squares(configure: Configure, tmp_path: Path) -> None:
    """140 rows of 50 inputs, a linear target: without the penalty the error is above twice the noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(140, 50))
    y = x @ rng.normal(size=50) + rng.normal(size=140)
    names = ",".join([*(f"x{index}" for index in range(50)), "y"])
    np.savetxt(tmp_path / "t.csv", np.column_stack([x, y]), delimiter=",", header=names, comments="")
    errors = []
    for word in ("auto", "0"):
        words = ["model=mlp", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", f"task.l2={word}"]
        parts = prepare(configure(*words))
        trainer = build_trainer(parts, RunFolder(tmp_path / word))
        trainer.fit()
        errors.append(trainer.progress.metrics["test/rmse"])
    assert errors[0] < 0.75 * errors[1], json.dumps(errors)
