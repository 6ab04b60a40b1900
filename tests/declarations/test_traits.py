"""Registrations state the same facts, with the same values, in dltool and in a user's files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.declarations.registry import own_registrations, trust_paths
from dltool.declarations.source import component
from dltool.declarations.traits import TRAITS, Traits, UnreadableTrait, make_traits

NO_COMPONENTS = ("root", "trainer", "logger", "diagnostics", "sweep", "tune")  # Settings of dltool itself.
OWN = [(group, name) for group, names in own_registrations().items() for name in names]


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    monkeypatch.chdir(tmp_path)

    def trust_text(text: str) -> None:
        imports = "from dltool.declarations.component import register\n"
        Path("mine.py").write_text(imports + text, encoding="utf-8")
        trust_paths([Path("mine.py")])

    yield trust_text
    trust_paths([])


def literal_keywords(group: str, name: str) -> str:
    """What a registration of dltool's states, as it would be written."""
    stated = {
        key: value
        for key, value in vars(component(group, name).traits).items()
        if value is not None or key == "loss_for"
    }
    return "".join(f", {key}={value!r}" for key, value in stated.items())


@pytest.mark.parametrize(("group", "name"), OWN)
def test_every_registration_of_dltool_states_the_facts_of_its_group(group: str, name: str) -> None:
    assert type(component(group, name).traits) is TRAITS.get(group, Traits)


def test_what_dltool_registers_a_trusted_file_can_register(trusted: Callable[[str], None]) -> None:
    lines = []
    for i, (group, name) in enumerate(OWN):
        if group not in NO_COMPONENTS:
            facts = literal_keywords(group, name)
            lines.append(f'@register("{group}", "own_{name}"{facts})\nclass C{i}: ...\n')
    trusted("\n".join(lines))
    assert component("model", "own_gpt").traits == component("model", "gpt").traits
    assert component("attack", "own_pgd").traits == Traits()


@pytest.mark.parametrize(
    ("group", "stated", "problem"),
    [
        ("model", {}, "does not state inputs and tasks"),
        ("model", {"inputs": "images", "tasks": ("a",)}, "one of any, image, vector, sequence or a tuple of image, v"),
        ("model", {"inputs": ("image", "any"), "tasks": ("a",)}, "inputs|one of any"),
        ("model", {"inputs": "any", "tasks": ["a"]}, "a tuple of strings, with its comma, is needed"),
        (
            "model",
            {"inputs": "any", "tasks": ("a",), "native_sizes": 3},
            "not a trait of the group model; its traits: ",
        ),
        (
            "model",
            {"inputs": "any", "tasks": ("a",), "min_size": "3"},
            "an integer or a dict from strings to",
        ),
        ("model", {"inputs": "any", "tasks": ("a",), "min_size": True}, "an integer"),
        ("model", {"inputs": "any", "tasks": ("a",), "min_size": {"a": "b"}}, "an integer"),
        ("data", {"inputs": "any", "targets": "classes"}, "one of image, vector, sequence is needed"),
        ("data", {"inputs": "image", "targets": "class"}, "one of classes, binary, numbers, tags, next_token"),
        ("loss", {"targets": ("classes",), "tasks": ("supervised",)}, "does not state head"),
        ("loss", {"tasks": ("gan",), "targets": "classes", "head": "classes"}, "a tuple of classes, binary"),
        ("loss", {"tasks": ("gan",), "head": "two"}, "one of classes, one, numbers, targets is needed"),
        ("task", {"like": "supervised"}, "does not state loss_for"),
        ("task", {"loss_for": None, "attacked": "yes"}, "True or False is needed"),
        ("task", {"loss_for": 3}, "a string is needed"),
        ("metric", {}, "does not state targets"),
        ("metric", {"targets": ("classes",), "direction": "up"}, "one of min, max or a dict"),
        ("metric", {"of": "weights"}, "one of outputs, samples is needed"),
        ("attack", {"targets": ("classes",)}, "is not a trait of the group attack; its traits: none"),
    ],
)
def test_what_is_wrong_with_the_facts(group: str, stated: dict[str, object], problem: str) -> None:
    with pytest.raises(UnreadableTrait, match=problem):
        make_traits(group, stated)


def test_facts_that_are_stated_and_others() -> None:
    assert make_traits("task", {"loss_for": None}) == TRAITS["task"](loss_for=None)
    assert make_traits("model", {"inputs": ("sequence", "image"), "tasks": ("a", "b")}).batching == "crops"
    sizes = {"inception_v3": 107, "*": 64}
    assert make_traits("model", {"inputs": "image", "tasks": ("a",), "min_size": sizes}).min_size == sizes
    measure = make_traits("metric", {"of": "samples", "direction": "min", "needs": "features"})
    assert (measure.of, measure.direction, measure.needs, measure.targets) == ("samples", "min", "features", ())


def test_a_fact_is_checked_where_it_is_registered(trusted: Callable[[str], None]) -> None:
    with pytest.raises(
        ConfigError, match=r"mine\.py, line 2: native_sizes is not a trait of the group model"
    ) as caught:
        trusted('@register("model", "mine", inputs="any", tasks=("supervised",), native_sizes=3)\nclass A: ...')
    assert str(caught.value.hint).startswith('@register("model", "mine"')


LANGUAGE_MODEL = '''
import torch
from torch import nn
from dltool.attacks.attack import Attack

@register("model", "bigram", inputs="sequence", tasks=("language_model",))
class Bigram(nn.Module):
    """Scores of the next token by the last one."""

    carries_state = False

    def __init__(self, spec, *, dim: int = 8) -> None:
        super().__init__()
        self.table = nn.Sequential(nn.Embedding(spec.num_tokens, dim), nn.Linear(dim, spec.num_tokens))

    def forward(self, tokens):
        return self.table(tokens)

@register("attack", "darker")
class Darker(Attack):
    """Takes eps off every pixel."""

    def attack(self, classifier, pixels, labels, objective, strength):
        return self.ball.scaled(strength).around(pixels, pixels - self.ball.scaled(strength).eps)
'''


def test_a_language_model_and_an_attack_of_ones_own_train(trusted: Callable[[str], None]) -> None:
    from dltool.build.prepare import prepare

    trusted(LANGUAGE_MODEL)
    words = ["trainer.device=cpu", "trainer.threads=1", "data.batch_size=4"]
    parts = prepare(check(compose(["model=bigram", "data=pydoc", "data.length=8", *words])))
    loss = parts.task.loss(parts.dataset.train.draw()).mean
    assert loss.requires_grad
    assert 0 < loss.item() < 20
    attacked = prepare(check(compose(["model=mlp", "data=digits", "attack=darker", *words])))
    assert "darker" in type(attacked.task.adversary.attack).__name__.lower()
