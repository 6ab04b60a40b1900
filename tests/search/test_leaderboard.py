"""Settings are ranked by the mean over what merely repeats them: seeds, folds and splits."""

from pathlib import Path
from typing import Any

from dltool.search.folder import Job, Result
from dltool.search.leaderboard import leaderboard, same_meaning, shared_ranking, standings


def result(number: int, accuracy: float, **swept: str) -> Result:
    keys = {key.replace("__", "."): value for key, value in swept.items()}
    job = Job(number, [f"{key}={value}" for key, value in keys.items()], keys)
    return Result(job, Path(str(number)), "finished", metrics={"val/accuracy": accuracy})


def test_folds_are_averaged_like_seeds() -> None:
    """The best single fold is that of the worse model."""
    results = [
        *(result(i, value, model="mlp", data__fold=str(i)) for i, value in enumerate((0.5, 0.99, 0.4))),
        *(result(i + 3, value, model="linear", data__fold=str(i)) for i, value in enumerate((0.8, 0.8, 0.9))),
    ]
    ranked = standings(results, "val/accuracy", "max")
    assert [(one.swept, len(one.values)) for one in ranked] == [({"model": "linear"}, 3), ({"model": "mlp"}, 3)]
    assert abs(ranked[0].mean - 2.5 / 3) < 1e-12
    title = str(leaderboard(ranked, "val/accuracy", "max").title)
    assert title == "by val/accuracy, largest first: mean [95 % confidence interval by Student's t] over data.fold"


def test_seeds_and_splits_together() -> None:
    results = [
        result(i, 0.5, seed=str(i % 2), data__split_seed=str(i // 2), optim__lr="0.1" if i < 4 else "1")
        for i in range(8)
    ]
    ranked = standings(results, "val/accuracy", "max")
    assert [(one.swept, len(one.values)) for one in ranked] == [({"optim.lr": "0.1"}, 4), ({"optim.lr": "1"}, 4)]
    assert str(leaderboard(ranked, "val/accuracy", "max").title).endswith("over seed and data.split_seed")


def run_with(number: int, config: dict[str, Any], **metrics: float) -> Result:
    job = Job(number, (), {"k": str(number)})
    named = {f"val/{name}": value for name, value in metrics.items()}
    return Result(job, Path(str(number)), "finished", metrics=named, config=config, parameters=100 * (number + 1))


def test_losses_with_other_definitions_are_not_ranked_together() -> None:
    """An autoencoder's squared error and a VAE's nats."""
    results = [
        run_with(0, {"task.name": "autoencoder", "loss.name": "mse", "data.name": "digits"}, loss=0.1),
        run_with(1, {"task.name": "vae", "loss.name": "bernoulli", "data.name": "digits"}, loss=90.0),
        run_with(2, {"task.name": "vae", "loss.name": "bernoulli", "data.name": "digits", "optim.lr": 1}, loss=95.0),
    ]
    groups = same_meaning(results, "val/loss")
    assert {meaning: len(members) for meaning, members in groups.items()} == {
        "task=autoencoder loss=mse": 1,
        "task=vae loss=bernoulli": 2,
    }
    assert shared_ranking(results, "val/loss") is None
    assert list(same_meaning(results[1:], "val/loss")) == [""]


def test_a_shared_metric_ranks_what_the_loss_cannot() -> None:
    results = [
        run_with(k, {"loss.name": "cross_entropy", "loss.label_smoothing": 0.1 * k}, loss=1.0, accuracy=0.9)
        for k in range(2)
    ]
    assert len(same_meaning(results, "val/loss")) == 2
    assert shared_ranking(results, "val/loss") == ("val/accuracy", "max")
    assert len(same_meaning(results, "val/accuracy")) == 1


def test_other_data_is_not_ranked_together() -> None:
    results = [run_with(k, {"data.name": name}, accuracy=0.9) for k, name in enumerate(("iris", "digits"))]
    assert list(same_meaning(results, "val/accuracy")) == ["data=iris", "data=digits"]


def test_parameters_and_time_stand_beside_the_metric() -> None:
    results = [run_with(k, {}, accuracy=0.5) for k in range(2)]
    table = leaderboard(standings(results, "val/accuracy", "max"), "val/accuracy", "max")
    columns = {str(column.header): list(column.cells) for column in table.columns}
    assert [str(cell) for cell in columns["parameters"]] == ["100", "200"]
    assert "seconds" in columns
    alone = leaderboard(standings(results[:1], "val/accuracy", "max"), "val/accuracy", "max")
    assert "parameters" not in [str(column.header) for column in alone.columns]
