"""Rules of dltool's own components: each condition is declared once, and stands wherever it belongs."""

import ast
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.declarations.registry import PACKAGE, TEMPLATE, registrations
from dltool.declarations.rules import read_rule
from dltool.declarations.source import component

LEAST_SQUARES = "model=linear task=least_squares optim=none data.batch_size=full trainer.epochs=1"
BROKEN = [
    ("model=vae model.condition=input data=diabetes", "has no classes", "model.condition=none"),
    ("model=vit model.dim=65", "does not divide model.dim", "num_heads=4"),
    ("model=transformer data=numbers model.dim=65", "does not divide model.dim", "num_heads=4"),
    ("model=gpt data=pydoc model.dim=33 model.num_heads=3 model.positions=sinusoidal", "model.dim is odd", "dim=128"),
    ("model=gpt data=pydoc model.dim=36 model.num_heads=4 model.positions=rotary", "is odd", "dim=128"),
    ("task=perturbation_game model=lenet loss=mse task.metrics=[calibration_error]", "needs probabilities", "loss="),
    ("task=adversarial model=lenet attack=pgd loss=mse task.metrics=[calibration_error]", "needs probab", "loss="),
    (f"{LEAST_SQUARES} task.metrics=[calibration_error]", "needs probabilities", "without calibration_error"),
    (f"{LEAST_SQUARES} data.augment.mixup=1", "mix classes, but task=least_squares", "mixup=0"),
    ("model=autoencoder data.augment.cutmix=1", "mix classes, but task=autoencoder", "cutmix=0"),
    ("model=lstm data=caption_digits data.augment.mixup=1", "mix classes, but task=translation", "mixup=0"),
    ("data=digit_pairs model=cyclegan data.augment.mixup=1", "mix classes, but task=cyclegan", "mixup=0"),
    ("optim=lbfgs trainer.clip_norm=1", "optim=lbfgs needs them unchanged", "clip_norm=null"),
    ("optim=rprop optim.decay_bias_norm=false schedule=constant", "rprop has no weight decay", "decay_bias_norm=true"),
    ("data=series model=lstm", "data=series has no file", "data.path=FILE.csv"),
    ("data=reversal model=lstm data.longest=2", "data.shortest is more than", "data.longest=8"),
]  # fmt: skip


def test_no_condition_is_declared_twice() -> None:
    places = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        if TEMPLATE not in path.parents:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "requires":
                    places[ast.dump(node.args[0])].append(f"{path}:{node.lineno}")
    assert len(places) > 60
    assert [where for where in places.values() if len(where) > 1] == []


def test_every_rule_of_dltool_can_be_read() -> None:
    components = [component(group, name) for group, names in registrations().items() for name in names]
    assert sum(len(one.rules) for one in components) > 90


@pytest.mark.parametrize(("words", "message", "hint"), BROKEN, ids=[words for words, *_ in BROKEN])
def test_a_shared_rule_stands_wherever_it_belongs(words: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(compose(words.split()))
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_the_rules_of_a_base_class_are_not_inherited() -> None:
    assert "model.blocks has no stages" in [rule.message for rule in component("model", "resnet").rules]
    assert "model.blocks has no stages" not in [rule.message for rule in component("model", "cifar_resnet").rules]


def test_the_file_of_a_rule_is_that_of_its_declaration() -> None:
    (rule,) = component("model", "vit").rules
    assert Path(rule.place.partition(",")[0]).parts[-2:] == ("layers", "transformer.py")


def test_a_message_is_filled_with_fields_of_the_config_alone() -> None:
    call = ast.parse(
        "requires(lambda config: False, '{data.name} {data.gone} {gone.name} {data.__class__} {__class__.__name__}', "
        "hint='data={data.name}')",
        mode="eval",
    ).body
    error = read_rule(call, Path("models.py")).error(SimpleNamespace(data=SimpleNamespace(name="csv")))
    assert error.message == "csv {data.gone} {gone.name} {data.__class__} {__class__.__name__}"
    assert error.hint == "data=csv"
