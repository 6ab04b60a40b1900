"""A rule is found by the name that decorates a component; a decorator that cannot be read is never left out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.declarations.registry import trust_paths

IMPORTS = "from torch import nn\nfrom dltool.declarations.component import Positive, register, requires\n"
RULE = 'wide = requires(lambda config: config.model.width > 1, "{model.name} is too narrow", hint="model.width=2")\n'
MODEL = '''
@register("model", "mine", inputs="any", tasks=("supervised",))
@wide
class Mine(nn.Module):
    """One layer."""

    def __init__(self, spec, *, width: Positive[int] = 8) -> None:
        super().__init__()
'''


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    trust_paths([])


def check_file(text: str, *words: str) -> None:
    Path("models.py").write_text(text, encoding="utf-8")
    trust_paths([Path("models.py")])
    check(compose(["model=mine", *words]))


def check_package(files: dict[str, str], *words: str) -> None:
    for name, text in {"__init__.py": "", **files}.items():
        path = Path("code", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    trust_paths([Path("code")])
    check(compose(["model=mine", *words]))


NAMED = {
    "assigned": IMPORTS + RULE + MODEL,
    "assigned below": IMPORTS + MODEL + RULE,
    "with a type": IMPORTS + RULE.replace("wide =", "wide: object =") + MODEL,
    "by another name": IMPORTS + RULE.replace("wide", "rule") + "again = rule\nwide = again\n" + MODEL,
    "two names": IMPORTS + RULE.replace("wide =", "narrow = wide =") + MODEL,
    "renamed requires": IMPORTS.replace("requires", "requires as needs") + RULE.replace("requires", "needs") + MODEL,
    "renamed register": IMPORTS.replace("register", "register as option") + RULE + MODEL.replace("register", "option"),
    "tried": IMPORTS.replace("from dltool", "try:\n    from dltool") + f"except ImportError:\n    pass\n{RULE}{MODEL}",
    "former module": IMPORTS.replace("dltool.declarations.component", "dltool.component") + RULE + MODEL,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_rule_by_its_name(name: str) -> None:
    check_file(NAMED[name])
    with pytest.raises(ConfigError, match="mine is too narrow") as caught:
        check(compose(["model=mine", "model.width=1"]))
    assert caught.value.hint == "model.width=2"


PACKAGES = {
    "another file": {"rules.py": IMPORTS + RULE, "models.py": f"{IMPORTS}from .rules import wide\n{MODEL}"},
    "renamed": {
        "rules.py": IMPORTS + RULE,
        "models.py": f"{IMPORTS}from .rules import wide as rule\n{MODEL.replace('@wide', '@rule')}",
    },
    "passed on": {
        "a/rules.py": IMPORTS + RULE,
        "a/__init__.py": "from .rules import wide",
        "b/models.py": f"{IMPORTS}from ..a import wide\n{MODEL}",
    },
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_rule_of_another_file_of_the_package(name: str) -> None:
    with pytest.raises(ConfigError, match=r"rules\.py|mine is too narrow"):
        check_package(PACKAGES[name], "model.width=1")
    check(compose(["model=mine"]))


def test_a_rule_of_dltools() -> None:
    text = IMPORTS + "from dltool.models.class_condition import needs_classes as wide\n" + MODEL
    text = text.replace("width: Positive[int] = 8", 'condition: str = "none"')
    check_file(text, "data=diabetes")
    with pytest.raises(ConfigError, match="the data has no classes"):
        check(compose(["model=mine", "data=diabetes", "model.condition=input"]))


ELSEWHERE = {
    "a library's": ("from functools import wraps as wide\n", "@wide"),
    "called": ("import functools\n", "@functools.lru_cache(maxsize=None)"),
    "of a module": ("import torch\n", "@torch.no_grad()"),
    "dataclass": ("from dataclasses import dataclass\n", "@dataclass(frozen=True)"),
    "tried": ("try:\n    from numba import jit\nexcept ImportError:\n    jit = None\n", "@jit"),
    "python's": ("", "@staticmethod"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_decorators_of_other_libraries_are_no_rules(name: str) -> None:
    lines, decorator = ELSEWHERE[name]
    check_file(IMPORTS + lines + MODEL.replace("@wide", decorator))


UNREADABLE = {
    "of a module": ("import dltool.models.class_condition as rules\n", "@rules.needs_classes", "@rules.needs_classes"),
    "of an imported module": ("from dltool.models import class_condition as c\n", "@c.needs_classes", "line 6"),
    "whole name": ("import dltool.models.class_condition\n", "@dltool.models.class_condition.needs_classes", "line 6"),
    "register of a module": (
        "import dltool.declarations.component as c\n",
        '@c.register("model", "other")',
        "register must be imported by its name",
    ),
    "requires of a module": (
        "import dltool.declarations.component as c\n",
        "@c.requires(lambda config: False, 'no')",
        "cannot be read as a rule",
    ),
    "named condition": ("CONDITION = lambda config: False\n", "@requires(CONDITION, 'no')", "a rule is a lambda"),
    "not called": ("", "@requires", "`@requires` cannot be read"),
    "called rule": (RULE, "@wide()", r"`@wide\(\)` cannot be read"),
    "something of dltool's": ("from dltool.core.errors import quoted\n", "@quoted('a')", "cannot be read as a rule"),
    "missing in dltool": ("from dltool.models.nothing import wide\n", "@wide", "`@wide` cannot be read"),
    "not in that module": ("from dltool.models.mlp import wide\n", "@wide", "`@wide` cannot be read"),
    "everything": ("from dltool.models.class_condition import *\n", "@needs_classes", "`@needs_classes` cannot"),
    "made by a function": (
        "def wider(n): return requires(lambda config: config.model.width > n, 'no')\n",
        "@wider(3)",
        r"line 6: the decorator `@wider\(3\)` cannot be read",
    ),
    "assigned twice": (RULE + RULE.replace("> 1", "> 2"), "@wide", "`@wide` cannot be read"),
    "in a block": (f"if True:\n    {RULE}", "@wide", "`@wide` cannot be read"),
    "in a circle": ("wide = other\nother = wide\n", "@wide", "`@wide` cannot be read"),
    "an item": (f"{RULE}rules = [wide]\n", "@rules[0]", "cannot be read as a rule"),
    "a lambda": ("", "@(lambda c: c)", "cannot be read as a rule"),
    "unknown": ("", "@wide", "`@wide` cannot be read"),
    "hostile": ("wide = requires(lambda config: open('x'), 'no')\n", "@wide", "line 3: the rule cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_decorator_that_cannot_be_read_is_an_error(name: str) -> None:
    lines, decorator, message = UNREADABLE[name]
    with pytest.raises(ConfigError, match=message) as caught:
        check_file(IMPORTS + lines + MODEL.replace("@wide", decorator))
    assert "models.py, line " in caught.value.message
    assert caught.value.hint


def test_the_class_that_a_component_is_built_into_is_never_left_out() -> None:
    for into in ("TableData", "nn.Module", "dltool.data.table_data.TableData"):
        line = f"@register('data', 'mine', into={into}, inputs='vector', targets='classes')"
        Path("models.py").write_text(f"{IMPORTS}\n\n{line}\ndef mine(rng): ...\n", encoding="utf-8")
        trust_paths([Path("models.py")])
        with pytest.raises(ConfigError, match=rf"line 5: into={into} is not a class that can be read"):
            check(compose(["data=mine"]))
