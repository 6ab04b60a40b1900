"""Settings are ranked by the mean over what merely repeats them: seeds, folds and splits."""

from pathlib import Path

from dltool.search.folder import Job, Result
from dltool.search.leaderboard import leaderboard, standings


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
    assert title == "by val/accuracy, largest first: mean ± standard deviation over data.fold"


def test_seeds_and_splits_together() -> None:
    results = [
        result(i, 0.5, seed=str(i % 2), data__split_seed=str(i // 2), optim__lr="0.1" if i < 4 else "1")
        for i in range(8)
    ]
    ranked = standings(results, "val/accuracy", "max")
    assert [(one.swept, len(one.values)) for one in ranked] == [({"optim.lr": "0.1"}, 4), ({"optim.lr": "1"}, 4)]
    assert str(leaderboard(ranked, "val/accuracy", "max").title).endswith("over seed and data.split_seed")
