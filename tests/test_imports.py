"""Imports flow one way, and the quick answers do without torch."""

import re
import subprocess
import sys

import pytest
from import_graph import PACKAGE, cycles, levels, module_graph, package_graph

OWN_MODEL = str(PACKAGE / "template" / "models.py")
NEIGHBOURS = {"models", "data", "losses", "optim"}  # Each is chosen by itself, and none may know another.


def test_no_module_imports_itself_through_others() -> None:
    assert cycles(module_graph()) == []


def test_no_package_imports_itself_through_others() -> None:
    assert cycles(package_graph()) == []


@pytest.mark.parametrize("package", sorted(NEIGHBOURS))
def test_neighbours_do_not_know_each_other(package: str) -> None:
    assert package_graph()[package].isdisjoint(NEIGHBOURS)


def test_the_top_level_is_the_packages() -> None:
    modules = {path.name for path in PACKAGE.glob("*.py")}
    assert modules == {"__init__.py", "__main__.py"}


def test_the_manual_lists_the_packages_from_the_ground_up() -> None:
    graph = {name: targets for name, targets in package_graph().items() if name not in ("", "__main__")}
    lines = " · ".join(f"`{' '.join(level)}`" for level in levels(graph))
    assert lines in re.sub(r"\s+", " ", (PACKAGE / "manual" / "design.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["train", "--help"], 0),
        (["--version"], 0),
        (["list"], 0),
        (["list", "model"], 0),
        (["list", "modle"], 2),
        (["train", "--cfg", "job"], 0),
        (["train", "optm=adam"], 2),
        (["train", "model=lenett"], 2),
        (["train", "model=torchvision", "model.arch=resnet19"], 2),
        (["train", "optim.lr=abc"], 2),
        (["train", "loss=cross_entropy", "data=diabetes"], 2),
        (["train", "trainer.epochs=null"], 2),
        (["resume", "nowhere"], 2),
        (["train", "-m", "seed=range(3,1)"], 2),
        (["train", "-m", "optim.lr=0.1,-1"], 2),
        (["train", "-m", "seed=1,2", "--cfg", "job"], 0),
        (["schema"], 0),
        (["help", "model=lenet"], 0),
        (["help", "--search", "lenet"], 0),
        (["help", "modle"], 2),
        (["schema", "optm"], 2),
        (["completion", "zsh"], 0),
        (["runs"], 0),
        (["runs", "--help"], 0),
        (["runs", "show", "nowhere"], 2),
        (["export", "nowhere", "--format", "torch"], 2),
        (["sample", "nowhere", "--prompt", "a"], 2),
        (["frobnicate"], 2),
        (["list", "model", "--trust", OWN_MODEL], 0),
        (["train", "--trust", OWN_MODEL, "model=mine", "--cfg", "job"], 0),
        (["train", "--trust", OWN_MODEL, "model=mine", "model.width=0"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_quick_answers_import_no_torch(words: list[str], code: int) -> None:
    script = (
        "import sys\n"
        "from dltool.cli.main import main\n"
        "try:\n"
        f"    code = main({words!r})\n"
        "except SystemExit as exit:\n"
        "    code = exit.code or 0\n"
        "heavy = {'torch', 'torchvision', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        f"assert code == {code}, code\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
