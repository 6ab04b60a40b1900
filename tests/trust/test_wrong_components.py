"""A trusted component with a mistake: the error names the file, the line and the fix."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.declarations.examples import example_command, example_file

Dltool = Callable[..., subprocess.CompletedProcess[str]]
FEW = ["trainer.steps=2", "trainer.limit_batches=2", "trainer.threads=1", "logger.plots=false", "logger.samples=false"]

ABSTRACT = "abstract method '{}'" if sys.version_info >= (3, 12) else "abstract method {}"

# Example, what is written instead of what, exit code, the line that the error names, parts of error and hint.
LM, TWO, METRIC, SAMPLES = "language_model", "two_optimizers", "output_metric", "sample_metric"
WRONG = [
    (LM, ', tasks=("language_model",)', "", 2, "@register", "model=char_gru does not state tasks", 'tasks=("sup'),
    (LM, '",), batching=', '",), batch=', 2, "@register", "batch is not a trait of the group model", "@register"),
    (LM, "(nn.Module)", "", 2, "class CharGru", "a CharGru, which is not derived from Module", "from torch.nn import"),
    (LM, "def advance", "def advanced", 2, "class CharGru", "has no method advance(), which task=lang", "--example"),
    (LM, "dim, spec.output_dim", "dim, 7", 2, "class CharGru", "model=char_gru outputs (1, 1, 7)", "spec.output_dim"),
    (LM, "Positive[int] = 64", "Positive[int] = 0", 2, "self, spec", "the default 0 is not of the type", None),
    ("translator", "def select(", "def choose(", 2, "class SequenceTo", "has no method select()", "translator"),
    ("translator", "source: Tensor, target_inputs", "source", 1, "def forward", "forward() takes 2", "--debug"),
    ("translator", '("translation",)', '("translate",)', 2, None, "no such task", "did you mean translation?"),
    (TWO, "def evaluate", "def measure", 2, "class MutualTask", "task=mutual has no evaluate(batch)", "two_optimizers"),
    (TWO, "def train_step", "def step", 2, "class MutualTask", "neither loss(batch) nor train_step", "two_optimizers"),
    (TWO, "model.small, ", "nn.Linear(2, 2), ", 2, "class MutualTask", "no checkpoint contains", "state_dict()"),
    (TWO, "return Loss(mean", "return (mean", 1, 'updaters["small"]', "returns a tuple, not a Loss", "Loss(mean,"),
    (TWO, '"accuracy": accuracy(outputs, batch.targets)', '"accuracy": 1.0', 1, None, "accuracy is a float", "Mean("),
    (TWO, ', like="supervised")', ', like="superv")', 2, None, "task=superv, and there is no such task", "supervised?"),
    (METRIC, "def part", "def parts", 2, "class Brier", ABSTRACT.format("part"), "--debug"),
    (METRIC, "return Mean(", "return max(", 1, "def part", "part returns a ", "return Mean(total, count)"),
    (SAMPLES, 'needs="pixels", ', "", 2, "@register", "metric=roughness does not state needs", 'needs="pixels"'),
    (SAMPLES, "return abs(", "return 1.0, abs(", 1, "def compute", "not a number for roughness", "reports="),
    ("attack", "    def attack(", "    def hit(", 2, "class LeastLikely", ABSTRACT.format("attack"), "--debug"),
    ("attack", "return ball.around(pixels,", "return max(1.0,", 1, "return", "Boolean value of Tensor", "--debug"),
    ("attack", "(pixels, pixels - self.step", "(pixels - 9, pixels - self.step", 1, "def attack", "away", "around("),
    ("attack", ", strength: float\n", "\n", 1, "def attack", "attack() takes 5 positional arguments", "--debug"),
    ("texts", "into=SequenceData, inputs", "inputs", 2, "@register", "data=docstrings lacks into=", "into="),
    ("texts", "_rng: torch.Generator, *", "*", 2, "@register", "docstrings() takes 0 positional", "--debug"),
    ("observer", "def on_epoch(self)", "def on_epoch(self, x)", 1, "def on_epoch", "missing", "observer=none"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "line", "problem", "hint"), WRONG, ids=[f"{one[0]}-{one[2]}" for one in WRONG]
)
def test_a_mistake_is_reported_where_it_is(
    name: str,
    old: str,
    new: str,
    code: int,
    line: str | None,
    problem: str,
    hint: str | None,
    dltool_here: Dltool,
    tmp_path: Path,
) -> None:
    text = example_file(name).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    code_from = text.index("\n@register")  # Not in the docstring or a comment.
    changed = text[:code_from] + text[code_from:].replace(old, new, 1)
    (tmp_path / f"{name}.py").write_text(changed, encoding="utf-8")
    done = dltool_here(*shlex.split(example_command(name))[1:], *FEW, "run.dir=run", "--quiet")
    assert done.returncode == code, done.stderr
    assert f"error: {'' if line is None else place(tmp_path / f'{name}.py', changed, line)}" in done.stderr
    assert problem in done.stderr
    assert hint is None or hint in done.stderr.partition("hint:")[2]
    assert code == 1 or not Path("run").exists()


def place(path: Path, text: str, start: str) -> str:
    """The error's first words: the file and the line that contains some text, behind the observer's name if any."""
    code_from = text[: text.index("\n@register")].count("\n")
    lines = enumerate(text.splitlines(), start=1)
    number = next(number for number, content in lines if number > code_from and start in content)
    lead = "observer=forgetting: " if path.stem == "observer" else ""
    return f"{lead}{path}, line {number}"
