"""Which settings of a run differ from their defaults."""

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.config.tree import leaves
from dltool.runs.description import changed_config


@pytest.mark.parametrize(
    ("overrides", "changed"),
    [
        (["model=mlp"], {}),  # Its penalty is the default of `dltool train model=mlp`,
        (["model=linear"], {}),  # and so is the rate of linear models.
        (["model=linear", "optim.lr=0.001"], {"optim.lr": 0.001}),
        (["model=mlp", "task.l2=0.0"], {"task.l2": 0.0}),
        (["model=mlp", "optim=sgd"], {"optim.name": "sgd"}),
    ],
)
def test_what_the_model_chose_is_not_changed(overrides: list[str], changed: dict[str, object]) -> None:
    config = dict(leaves(check(compose(["data=diabetes", *overrides])).tree))
    name = {"model.name": config["model.name"]}
    assert changed_config(config) == {"data.name": "diabetes", **name, **changed}
