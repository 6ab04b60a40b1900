"""A condition means what Python's expression means, and can be nothing else."""

import ast
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dltool.core.errors import ConfigError
from dltool.declarations.conditions import Condition, UnreadableCondition
from dltool.declarations.rules import read_rule

CONFIG = SimpleNamespace(
    model=SimpleNamespace(
        name="vit", dim=64, num_heads=4, blocks=[2, 3, 1], rates=[], pooling=None, condition="none", share=0.25
    ),
    data=SimpleNamespace(inputs="image", targets="classes", augment={"mixup": 0.2, "flip": False}, root=None),
    trainer=SimpleNamespace(epochs=3, steps=None, precision="16-mixed", compile=True, big=10**400),
    task=SimpleNamespace(metrics=None, channels=[[1, 2], [3, 4]]),
)
SAME = """
config.model.dim % config.model.num_heads == 0
config.model.dim % (2 * config.model.num_heads) == 0
1 < config.model.num_heads <= 4 < config.model.dim
5 > config.model.num_heads > 4
config.model.num_heads == 4 != config.model.dim
config.model.condition == "none" or config.data.targets in ("classes", "binary")
config.data.targets not in ["numbers", "none"] and not config.data.root
config.trainer.epochs is not None or config.trainer.steps is not None
(config.data.root is None) != (config.trainer.steps is None)
config.data.inputs != "image" or not (config.data.augment.get("mixup") or config.data.augment.get("cutmix"))
config.data.augment["mixup"]
config.data.augment.get("cutmix", 7)
config.data.augment["cutmix"]
"calibration_error" not in (config.task.metrics or ())
len(config.model.blocks) > 0
len(config.model.rates)
config.model.blocks[-1]
config.model.blocks[1:]
config.model.blocks[::2]
config.model.blocks[5]
config.model.name[0]
"i" in config.model.name
config.model.pooling or "last"
config.model.dim and config.model.name
config.model.rates and config.model.rates[0]
None and 1
0 or () or {}
min(config.model.blocks)
max(config.model.dim, config.model.num_heads, 100)
max(config.model.rates)
min(config.model.name)
any(block > 2 for block in config.model.blocks)
all(block > 2 for block in config.model.blocks)
all(block > 2 for block in config.model.rates)
max(block * 2 for block in config.model.blocks if block != 3)
any(block == 3 or block.missing for block in config.model.blocks)
any(any(number == 4 for number in row) for row in config.task.channels)
any(key == "flip" for key in config.data.augment)
all(config.task.channels)
any([0, config.model.share])
1 if config.trainer.compile else 2
config.trainer.missing if not config.trainer.compile else "other"
config.model.dim / 0
-config.model.share + +3 - 2 * 4 / 5 // 1
7 // 2, -7 // 2, 7 % -3, 2 ** 10, 2 ** -1, 4 ** 0.5, 2.5 % 1
True + True
{1, 2, 2} == {2, 1}
{"a": 1}["a"]
{"a": 1, "a": 2} == {"a": 2}
(1, 2) < (1, 3)
1 < "a"
1 in 2
{[]: 1}
{(): 1}
config.nothing
config.model.nothing
config.trainer.big % 7
config.trainer.big == config.trainer.big
config == config
config.model == config.model
config.model.dim is True
not config
()
""".strip().splitlines()


def read(text: str) -> Condition:
    return Condition.read(ast.parse(f"lambda config: ({text})", mode="eval").body)


def outcome(function: object) -> object:
    """What a condition gives, with its type, or the class of what it raises."""
    try:
        value = function(CONFIG)
    except Exception as error:
        return type(error)
    return type(value), value


@pytest.mark.parametrize("text", SAME)
def test_means_what_python_means(text: str) -> None:
    names = {"__builtins__": {}, "len": len, "min": min, "max": max, "any": any, "all": all}
    assert outcome(read(text)) == outcome(eval(f"lambda config: ({text})", names))


OUTSIDE = """
open("canary", "w")
__import__("os")
config.__class__
config.model.__dict__["dim"]
config.model._private
"".__class__.__mro__[1].__subclasses__()
().__class__
config.data.augment.get.__globals__
config.data.augment.pop("mixup")
config.data.augment.setdefault("mixup", 1)
config.data.augment.items()
config.model.blocks.append(3)
config.model.blocks.sort()
config.get()
config.data.augment.get()
config.data.augment.get("a", 1, 2)
config.data.augment.get(key="a")
config.model.name.format(config)
"{0.__class__}".format(config)
f"{config.__class__}"
f"{config.model.dim!r:>{10}}"
"%s" % config
"%1000000000d" % 1
"a" * 10**9
[0] * 10**9
(1, 2) + (3,)
-"a"
[x for x in config.model.blocks]
{x for x in config.model.blocks}
{x: x for x in config.model.blocks}
(x for x in config.model.blocks)
len(x for x in config.model.blocks)
any(x for x in config.model.blocks for y in config.model.blocks)
any(a == b for a, b in config.task.channels)
any(config.model.dim for config.model.dim in [1])
any(x async for x in config.model.blocks)
any(any for any in config.model.blocks)
any((y := x) for x in config.model.blocks)
any(x.__class__ for x in config.model.blocks)
any(x for x in x)
min(config.model.blocks, key=lambda x: x)
min(config.model.blocks, key=len)
max([], default=len)
max(*config.model.blocks)
len(*config.model.blocks)
len()
min()
all(1, 2)
len
len is max
[len][0]([1])
(lambda: 1)()
(lambda x: x)(config)
(x := config)
config.model.blocks[(y := 1)]
eval("1")
exec("1")
print(1)
getattr(config, "model")
type(config)
sum(config.model.blocks)
range(10)
vars()
config()
config.model()
config.model.name()
b"bytes"
...
1j
~config.model.dim
1 << 10**9
1 | 2
1 & 2
config @ config
*config.model.blocks,
{**config.data.augment}
{"a": 1, **config.data.augment}
len.__self__
other.model.dim
True.real
(yield)
(yield from config.model.blocks)
(await config)
""".strip().splitlines()


@pytest.mark.parametrize("text", OUTSIDE)
def test_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(UnreadableCondition):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "10**10**10 > 0",
        "config.model.dim ** config.trainer.big > 0",
        "config.trainer.big ** 2 > 0",
        "config.trainer.big * config.trainer.big > 0",
        "config.model.dim ** 1000 > 0",
        "any(any(z > 9 for z in [y * y * y]) for y in [2 ** 1000])",
        "config.model.name * 10 ** 9",
        "config.model.blocks * 10 ** 9",
        "config.model.name % 3",
        "config.model.name + config.model.name",
        "-config.model.name",
        "(-8) ** 0.5 == 0",
        "all(all(all(all(x + y > 0 for x in L) for y in L) for z in L) for w in L)".replace(
            "L", f"{list(range(1, 60))}"
        ),
        "all(config.long == config.long for x in config.long)",
        "all(x in config.long or True for x in config.long)",
        "all(config.long[1:] for x in config.long)",
        "all(max(config.long) for x in config.long)",
        "all(config.nested == config.nested for x in config.long)",
        "all(config == config for x in config.long)",
        "config.long.get('a')",
        "config.long.name",
        "config.model[0]",
        "config.model['dim']",
        "len(config)",
        "any(config)",
        "any(x for x in config)",
        "'model' in config",
    ],
)
def test_stops_soon(text: str) -> None:
    longer = SimpleNamespace(**vars(CONFIG), long=[-1 - i for i in range(50_000)], nested=[[[0] * 50_000]])
    condition = read(text)
    start = time.perf_counter()
    with pytest.raises((TypeError, OverflowError, RuntimeError, AttributeError)):
        condition(longer)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "text", ["config.a" + " + 1" * 1000, "not " * 60 + "config.a", "-" * 60 + "1", "(" * 60 + "1" + ",)" * 60]
)
def test_a_long_condition_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCondition, match="too long"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "lambda: True",
        "lambda a, b: True",
        "lambda config=1: True",
        "lambda *config: True",
        "lambda **config: True",
        "lambda config, /: True",
        "lambda *, config: True",
        "lambda len: len.model",
        "lambda config: lambda config: True",
        "bool",
        "True",
    ],
)
def test_only_a_lambda_over_the_config_is_a_condition(text: str) -> None:
    with pytest.raises(UnreadableCondition):
        Condition.read(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("requires(\n    lambda config: config.a\n    and open('x'),\n    'no',\n)", "models.py, line 3: .*'open'"),
        ("requires(lambda config: config.a.__class__, 'no')", "models.py, line 1: .*`config.a.__class__`"),
        ("requires(CONDITION, 'no')", "models.py, line 1: a rule is a lambda"),
        ("requires(lambda config: True, MESSAGE)", "a rule is a lambda"),
        ("requires(lambda config: True, f'no {x}')", "a rule is a lambda"),
        ("requires(lambda config: True, 'no', hint=HINT)", "a rule is a lambda"),
        ("requires(lambda config: True, 'no', 'hint')", "a rule is a lambda"),
        ("requires(lambda config: True, 'no', hints='a')", "a rule is a lambda"),
        ("requires(lambda config: True, 'no', **more)", "a rule is a lambda"),
        ("requires(lambda config: True)", "a rule is a lambda"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named_with_file_and_line(call: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_rule(ast.parse(call, mode="eval").body, Path("models.py"))


def test_a_rule_that_cannot_be_evaluated_is_named_with_file_and_line() -> None:
    rule = read_rule(ast.parse("requires(lambda config: config.model.w, 'no')", mode="eval").body, Path("models.py"))
    assert (rule.message, rule.hint) == ("no", None)
    with pytest.raises(ConfigError, match=r"models\.py, line 1: .*config\.model has no attribute 'w'"):
        rule.holds(CONFIG)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('config.data.get("root", 3)', None),
        ('config.data.get("missing", 3)', 3),
        ('config.data.get("missing")', None),
        ('config.data.get("augment", {}).get("mixup")', 0.2),
        ('config.model.get("augment", {}).get("mixup")', None),
    ],
)
def test_get_of_a_group_reads_keys_that_not_every_option_has(text: str, value: object) -> None:
    assert read(text)(CONFIG) == value
