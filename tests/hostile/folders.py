"""Working directories: files that some program would read, or run, by their names alone."""

import random
from collections.abc import Iterator

from hostile.case import Case, Place
from hostile.damages import DAMAGES, git

MODULES = ["random.py", "sitecustomize.py", "usercustomize.py", "torch/__init__.py", "yaml.py", "rich.py", "numpy.py"]
MODULES += ["conftest.py", "dltool/__init__.py", "json.py", "matplotlib.py", "hydra_plugins/evil.py", "safetensors.py"]
SETTINGS = {
    "matplotlibrc": "backend: module://evil\nsavefig.directory: {private}\ntext.usetex: true\n",
    "style/evil.mplstyle": "backend: module://evil\n",
    ".env": "PYTHONSTARTUP=evil.py\nDLTOOL_DATA={private}\n",
    "pyvenv.cfg": "home = {private}\n",
    "pip.conf": "[global]\nindex-url = http://example.invalid\n",
    "setup.cfg": "[tool:pytest]\naddopts = -p evil\n",
    "pyproject.toml": "[tool.dltool]\ntrust = 'evil.py'\n",
    "conf/config.yaml": "hydra:\n  searchpath: [pkg://evil]\n",
    "config.yaml": "hydra:\n  callbacks: {x: {_target_: evil.x}}\n",
    ".hydra/config.yaml": "_target_: evil.x\n",
    "configs/model/mlp.yaml": "name: mlp\n_target_: evil.x\n",
    "configs/hydra/callbacks/evil.yaml": "x: {_target_: evil.x}\n",
    ".netrc": "machine example.invalid login a password b\n",
    "optuna.db": "x",
    "mlruns/0/meta.yaml": "artifact_location: {private}\n",
    "wandb/settings": "[default]\nbase_url = http://example.invalid\n",
    "py.ini": "x",
    "sitecustomize.pth": "import evil\n",
}
GIT = {
    "fsmonitor": ["[core]", "\tfsmonitor = touch {marker}"],
    "pager": ["[core]", "\tpager = touch {marker}", "[pager]", "\tlog = touch {marker}", "\tstatus = touch {marker}"],
    "hooks": ["[core]", "\thooksPath = hooks"],
    "filter": ['[filter "x"]', "\tclean = touch {marker}", "\tsmudge = touch {marker}", "\trequired = true"],
    "editor": ["[core]", "\teditor = touch {marker}", "\tsshCommand = touch {marker}", "\tgitProxy = touch {marker}"],
    "include": ["[include]", "\tpath = {private}/secret"],
    "worktree": ["[core]", "\tworktree = {private}"],
    "alias": ["[alias]", "\trev-parse = !touch {marker}", "\tstatus = !touch {marker}"],
}
HEADS = [
    "ref: ../../../private/secret\n",
    "ref: refs/heads/" + "a/" * 5000,
    "ref: {private}/secret\n",
    "\x1b[2J\n",
    "x" * 10**6,
]
TRAIN = (
    "train",
    "model=mlp",
    "model.hidden=[4]",
    "data=iris",
    "trainer.steps=1",
    "logger.report=false",
    "run.dir=outputs/x",
)


def folder_cases(random: random.Random, count: int) -> Iterator[Case]:
    made: list[tuple[str, dict[str, str], list[str] | None, str | None]] = []
    made += [(f"module-{name}", {name: "{code}"}, None, None) for name in MODULES]
    made += [(f"file-{name}", {name: text, "evil.py": "{code}"}, None, None) for name, text in SETTINGS.items()]
    made += [(f"git-{name}", {".gitattributes": "* filter=x\n"}, lines, None) for name, lines in GIT.items()]
    made += [(f"head-{number}", {".git/HEAD": text}, None, None) for number, text in enumerate(HEADS)]
    made += [(f"gitdir-{number}", {".git": f"gitdir: {path}\n"}, None, None) for number, path in enumerate(GITDIRS)]
    made += [(f"outputs-{damage}", {}, None, damage) for damage in ("dangling", "loop", "pipe", "empty")]
    for number, (name, files, lines, damage) in enumerate(made[:count]):
        words = random.choice([TRAIN, TRAIN, ("runs",), ("show", "model=mlp"), ("list", "model"), ("schema",)])
        if damage or lines or name.startswith(("head", "gitdir")):
            words = TRAIN[:-1] if damage else TRAIN
        yield Case(f"cwd-{number}-{name.replace('/', '_')}-{words[0]}", maker(files, lines, damage), words)


GITDIRS = ["{private}", "{private}/secret", "/dev", "x" * 5000, ".git", "../private", "\x1b[2J"]


def maker(files: dict[str, str], lines: list[str] | None, damage: str | None):
    def make(place: Place) -> None:
        def filled(text: str) -> str:
            for word, value in (("code", place.code), ("private", place.private), ("marker", place.marker)):
                text = text.replace("{" + word + "}", str(value))
            return text

        if lines is not None:
            git(place.cwd, *map(filled, lines))
            hook = place.cwd / "hooks" / "post-checkout"
            hook.parent.mkdir()
            hook.write_text(f"#!/bin/sh\ntouch {place.marker}\n")
            hook.chmod(0o755)
        for name, text in files.items():
            (place.cwd / name).parent.mkdir(parents=True, exist_ok=True)
            (place.cwd / name).write_text(filled(text))
        if damage is not None:
            DAMAGES[damage](place.cwd / "outputs", place, random.Random(0))

    return make
