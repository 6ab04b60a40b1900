"""Configs: YAML that is a bomb, no YAML, no text, or says something odd about a key."""

import random
from collections.abc import Iterator

from hostile.case import Case, Place
from hostile.damages import DAMAGES, ESCAPES, FORMULA, MARKUP

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXTS: dict[str, str | bytes] = {
    "bomb": BOMB,
    "merge_bomb": "a: &a {x: 1}\n" + "b: &b\n  <<: [" + ",".join(["*a"] * 4000) + "]\nseed: 1\n",
    "recursive": "model: &a\n  hidden: *a\n",
    "recursive_list": "&a [*a]\n",
    "self_merge": "model: &a\n  <<: *a\n",
    "python_tag": "seed: !!python/object/apply:os.system ['touch {marker}']\n",
    "python_name": "seed: !!python/name:os.system\n",
    "target": "model:\n  _target_: os.system\n  _args_: ['touch {marker}']\n",
    "callbacks": "hydra:\n  callbacks:\n    x:\n      _target_: canary.Callback\n",
    "logging": "hydra:\n  job_logging:\n    handlers:\n      x: {(): canary.Handler}\n",
    "run_dir": "run:\n  dir: {private}/new\n",
    "run_dir_above": "run:\n  dir: outputs/../../private/new\n",
    "environment": "seed: ${oc.env:HOME}\n",
    "interpolation_loop": "seed: ${seed}\n",
    "interpolation_deep": "model:\n  name: " + "${" * 200 + "seed" + "}" * 200 + "\n",
    "defaults_above": "defaults:\n  - ../../../private/secret\n",
    "defaults_absolute": "defaults:\n  - {private}/secret\n",
    "defaults_override_above": "defaults:\n  - override /model: ../../private/secret\n",
    "defaults_itself": "defaults:\n  - hostile\n",
    "defaults_odd": "defaults: 3\n",
    "defaults_nested": "defaults:\n  - [[a]]\n",
    "package": "# @package hydra.callbacks\nx:\n  _target_: canary.Callback\n",
    "package_odd": "# @package " + "a." * 3000 + "\nseed: 1\n",
    "list_root": "- 1\n- 2\n",
    "scalar_root": "seed\n",
    "two_documents": "seed: 1\n---\nseed: 2\n",
    "latin1": "title: caf\xe9\n".encode("latin-1"),
    "utf16": "seed: 1\n".encode("utf-16"),
    "nul": "seed: 1\0\n",
    "deep": "a: " + "[" * 3000 + "]" * 3000 + "\n",
    "deep_block": "".join(" " * n + "a:\n" for n in range(1200)),
    "long_number": "seed: " + "9" * 10_000 + "\n",
    "hex_number": "seed: 0x" + "f" * 3000 + "\n",
    "sexagesimal": "seed: 1:" + "59:" * 2000 + "1\n",
    "float_overflow": "optim:\n  lr: 1e999\n",
    "date": "seed: 2024-02-31\n",
    "long_line": "a: " + "x" * 900_000 + "\n",
    "too_large": "# " + "x" * 3_000_000 + "\nseed: 1\n",
    "many_keys": "".join(f"k{n}: 1\n" for n in range(20_000)),
    "escapes": f"model:\n  name: {ESCAPES!r}\n".replace("'", '"'),
    "escape_key": '"\\e]0;owned\\a\\e[2J": 1\n',
    "markup": f'seed: "{MARKUP}"\n'.replace('"<', "'<") if False else f"seed: '{MARKUP}'\n",
    "formula": f'seed: "{FORMULA}"\n',
    "surrogate": 'seed: "\\ud800"\n',
    "tabs": "model:\n\tname: mlp\n",
    "anchors": "a: *missing\n",
    "key_mapping": "? {a: 1}\n: 2\n",
    "key_null": "~: 1\ntrue: 2\n1: 3\n",
    "duplicate": "seed: 1\nseed: 2\n",
    "trust": "trust: {private}/code.py\n",
    "download": "defaults:\n  - override /data: mnist\ndata:\n  download: true\n",
    "root": "defaults:\n  - override /data: mnist\ndata:\n  root: /dev\n",
    "server": "logger:\n  to: [mlflow]\n  mlflow:\n    uri: https://example.invalid\n",
    "init_from": "init_from: {private}/secret\n",
    "storage": "tune:\n  storage: sqlite:///{private}/new.db\n",
}
DAMAGED = ["link", "pipe", "folder", "zero"]
KEYS = [
    "seed",
    "model.hidden",
    "optim.lr",
    "data.batch_size",
    "trainer.epochs",
    "run.dir",
    "logger.to",
    "loss",
    "x.y.z",
]
VALUES = ["[[[]]]", "{a: 1}", "null", "-1", ".nan", ".inf", "9e99", "''", "'${oc.env:HOME}'", "'../../private'", "[1,2"]
VALUES += ["!!binary aGk=", "!!set {a}", "0o777", "1_000", "'\\e[2J'", '"\\e[2J"', "'a' 'b'", "@x", "`x`", "%x", "&a 1"]


def config_cases(random: random.Random, count: int) -> Iterator[Case]:
    names = list(TEXTS)
    whole = [(name, TEXTS[name]) for name in names] + [(f"is_a_{name}", name) for name in DAMAGED]
    for number in range(count):
        if number < len(whole):
            name, content = whole[number]
        else:
            key, value = random.choice(KEYS), random.choice(VALUES)
            *parts, last = key.split(".")
            lines = ["  " * depth + f"{part}:" for depth, part in enumerate(parts)]
            name, content = f"{key}-{number}", "\n".join([*lines, "  " * len(parts) + f"{last}: {value}"]) + "\n"
        way = ("experiment", "from", "option")[(number + number // 3) % 3]
        yield Case(f"config-{number}-{name}-{way}", maker(way, name, content), WORDS[way])


WORDS = {
    "experiment": ("train", "experiment=hostile", "--config-dir", "mine", "trainer.steps=1", "data.batch_size=8"),
    "from": ("train", "--from", "mine/hostile.yaml", "trainer.steps=1"),
    "option": ("show", "model=hostile", "--config-dir", "mine"),
}
PATHS = {"experiment": "mine/experiment/hostile.yaml", "from": "mine/hostile.yaml", "option": "mine/model/hostile.yaml"}


def maker(way: str, name: str, content: str | bytes):
    def make(place: Place) -> None:
        path = place.cwd / PATHS[way]
        path.parent.mkdir(parents=True)
        (place.private / "code.py").write_text(place.code)
        if name.startswith("is_a_"):
            return DAMAGES[str(content)](path, place, random.Random(0))
        text = content
        if isinstance(text, str):
            text = text.replace("{marker}", str(place.marker)).replace("{private}", str(place.private)).encode("utf-8")
        path.write_bytes(text)

    return make
