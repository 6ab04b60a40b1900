"""What is wrong with a trusted file is said before anything of it runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dltool.config.check import check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.declarations.registry import trust_paths
from dltool.trust.sources import read_sources, trust

MODEL = '''\
from torch import nn
from dltool.declarations.component import Fraction, Positive, register, requires
from dltool.core.spec import DataSpec

open("canary", "w").close()


@register("model", "mine", inputs="any", tasks=("supervised",))
class Mine(nn.Module):
    """One layer."""

    def __init__(self, spec: DataSpec, *, width: Positive[int] = 8, share: Fraction[float] = 0.5) -> None:
        super().__init__()
        self.layer = nn.Linear(spec.input_dim, spec.output_dim)

    def forward(self, inputs):
        return self.layer(inputs.flatten(1))
'''
REGISTER = '@register("model", "mine", inputs="any", tasks=("supervised",))'
LINE = MODEL[: MODEL.index(REGISTER)].count("\n") + 1
HOSTILE = f"@requires(lambda config: open('canary', 'w'), 'no')\n{REGISTER}"

# What is written instead of what, part of the message, part of the hint.
WRONG = {
    "syntax": ("class Mine(nn.Module):", "class Mine(nn.Module:", "models.py, line 9: this is not valid Python", "fix"),
    "neighbour": ("from torch", "from .x import y\nfrom torch", "`from .x import …` leads out of the", "__init__.py"),
    "deep": ("open(", f"{'(' * 300}1{')' * 300}; open(", "this is not valid Python", "fix"),
    "outside": ("open(", "return (", "line 5: this is not valid Python: 'return' outside function", "fix"),
    "not registered": (REGISTER, "", "registers nothing", "from dltool.declarations.component import register"),
    "another register": ("from dltool.declarations", "from other.library", "registers nothing", "import register"),
    "computed name": ('"mine", inputs', "NAME, inputs", f"line {LINE}: a registration is read without", "@register("),
    "no name": ('"mine", inputs', '"my net", inputs', "'my net' is not a name", '@register("model", "mine"'),
    "group": ('"model", "mine"', '"modle", "mine"', "modle is not a group to register in", "did you mean model?"),
    "own group": ('"model", "mine"', '"trainer", "mine"', "trainer is not a group to register in", None),
    "traits": (', inputs="any", tasks=("supervised",)', "", "model=mine does not state inputs and tasks", "inputs="),
    "tasks": ('("supervised",)', '("supervised")', "tasks='supervised': a tuple of strings", 'tasks=("supervised",)'),
    "inputs": ('inputs="any"', 'inputs="images"', "inputs='images': one of any, image, vector, sequence", "@register("),
    "computed trait": ('inputs="any"', "inputs=ANY", "inputs=ANY is not a literal", "@register("),
    "taken": ('"mine", inputs', '"mlp", inputs', f"line {LINE + 1}: model=mlp is already in dltool", "another name"),
    "inside": (REGISTER, f"if True:\n  {REGISTER}\n  class A: pass\n", "A is registered inside another block", None),
    "no star": ("spec: DataSpec, *, width", "spec: DataSpec, width", "width is before the *", "*, before width"),
    "type": ("width: Positive[int]", "width: Optional[int]", "width: Optional[int] = 8 cannot be read", "X | None"),
    "array": ("width: Positive[int]", "width: Tensor", "width: Tensor = 8 cannot be read", "list[X]"),
    "no type": ("width: Positive[int]", "width", "width, without a type, = 8 cannot be read", "Positive[int]"),
    "default": ("Positive[int] = 8", "float = math.pi", "width: float = math.pi cannot be read", "literal"),
    "wrong default": ("Positive[int] = 8", "Positive[int] = 0", "width: the default 0 is not of the type Posi", None),
    "no lambda": (REGISTER, f"@requires(True, 'no')\n{REGISTER}", "a rule is a lambda", "@requires(lambda config"),
    "broken rule": (REGISTER, f"@requires(lambda c: c.model.w, 'no')\n{REGISTER}", "no attribute 'w'", "it can use"),
    "hostile rule": (REGISTER, HOSTILE, f"line {LINE}: the rule cannot be read: 'open'", "it can use"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    trust([])
    assert not Path("canary").exists()


def compose_with(text: str, *overrides: str) -> dict:
    Path("models.py").write_text(text, encoding="utf-8")
    trust_paths([Path("models.py")])
    return check(compose(overrides)).tree


def test_a_config_is_checked_without_running_a_line() -> None:
    assert compose_with(MODEL, "model=mine", "model.width=3")["model"] == {
        "name": "mine",
        "width": 3,
        "share": 0.5,
        "freeze": [],
        "initial": None,
    }
    with pytest.raises(ConfigError, match=r"model.share=1: a number in \[0, 1\) is needed"):
        compose_with(MODEL, "model=mine", "model.share=1")
    with pytest.raises(ConfigError, match=r"unknown key model\.depth"):
        compose_with(MODEL, "model=mine", "model.depth=1")


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_file(name: str) -> None:
    old, new, message, hint = WRONG[name]
    assert old in MODEL
    with pytest.raises(ConfigError) as caught:
        compose_with(MODEL.replace(old, new, 1), "model=mine")
    assert message in caught.value.message
    assert hint is None or hint in str(caught.value.hint)


def test_two_files_with_one_name() -> None:
    for name in ("a.py", "b.py"):
        Path(name).write_text(MODEL)
    with pytest.raises(ConfigError) as caught:
        trust_paths([Path("a.py"), Path("b.py")])
    assert "a.py, line 9" in caught.value.message
    assert "b.py, line 9" in caught.value.message
    Path("link.py").symlink_to("a.py")
    assert len(read_sources([Path("a.py"), Path("link.py"), Path("../") / Path.cwd().name / "a.py"])) == 1


def test_a_yaml_beside_it_is_found_and_may_ask_for_no_more_than_any() -> None:
    compose_file = Path("configs/model/mine.yaml")
    compose_file.parent.mkdir(parents=True)
    compose_file.write_text("# Mine.\nname: mine\nwidth: 5\n")
    assert compose_with(MODEL, "model=mine")["model"]["width"] == 5
    experiment = Path("configs/experiment/e.yaml")
    experiment.parent.mkdir()
    for line, message in {
        "model:\n  _target_: os.system": "a config cannot name code",
        "data:\n  download: true": "is a download",
        "run:\n  dir: /tmp/elsewhere": "a path outside the output root",
        "trust: models.py": "unknown key trust",
    }.items():
        experiment.write_text(f"# @package _global_\ndefaults:\n  - override /data: mnist\n  - _self_\n{line}\n")
        with pytest.raises(ConfigError, match=message):
            compose_with(MODEL, "experiment=e")


def test_trust_ends_where_the_next_command_does_not_ask_for_it(dltool_here: Callable) -> None:
    Path("models.py").write_text(MODEL)
    assert "One layer. (trusted: " in dltool_here("list", "model", "--trust", "models.py").stdout
    assert "mine" not in dltool_here("list", "model").stdout
    refused = dltool_here("train", "model=mine", "--cfg", "job")
    assert refused.returncode == 2
    assert "there is no such model" in refused.stderr
