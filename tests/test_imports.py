"""Imports flow one way, and the quick answers do without torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "dltool"

OWN_MODEL = str(PACKAGE / "template" / "models.py")

# A module imports from its own tier and from those before it only.
TIERS = [
    ["core", "errors", "shell", "hints", "numerals", "component", "spec", "settings", "patterns", "trust", "registry"],
    ["randomness", "batch", "config", "construct", "docstrings", "schema"],
    ["layers", "metrics", "text"],
    ["models", "data", "losses", "optim"],
    ["attacks"],
    ["generation"],
    ["tasks"],
    ["observers.observer"],
    ["engine"],
    ["introspection"],
    ["observers", "runs", "summary"],
    ["following", "warm_start", "judging"],
    ["build"],
    ["session"],
    ["training"],
    ["search", "bench", "completion", "doctor"],
    ["inference"],
    ["cli"],
    ["__main__"],
    ["api"],
    ["template"],
]
SIDEWAYS = {"models", "data", "losses", "optim"}  # Neighbours in one tier that may not import each other.


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def tier(module: str) -> int:
    """The tier with the longest name that the module's begins with."""
    matches = [(len(name), i) for i, names in enumerate(TIERS) for name in names if f"{module}.".startswith(f"{name}.")]
    assert matches, f"dltool.{module} stands in no tier: say in TIERS where it belongs"
    return max(matches)[1]


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dltool."):
            found.add(node.module.removeprefix("dltool."))
        elif isinstance(node, ast.ImportFrom) and node.module == "dltool":
            found |= {alias.name for alias in node.names if alias.name[0].islower()}
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("dltool.") for a in node.names if a.name.startswith("dltool.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_name)
def test_imports_flow_one_way(path: Path) -> None:
    module = module_name(path)
    if module == "__init__":
        assert imported_modules(path) == {"api"}  # When it is asked for.
        return
    for imported in imported_modules(path):
        assert tier(imported) <= tier(module), f"dltool.{module} imports dltool.{imported} from above"
        ours, theirs = module.split(".")[0], imported.split(".")[0]
        if ours in SIDEWAYS and theirs in SIDEWAYS:
            assert ours == theirs, f"dltool.{module} imports its neighbour dltool.{imported}"


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
