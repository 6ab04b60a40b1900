"""What can be wrong with a file that somebody else made."""

import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile.case import Place

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202etxt.exe\r\x9b5m"
MARKUP = "[bold red]x[/] <script>alert(1)</script> <img src=x onerror=alert(1)>"
FORMULA = "=cmd|' /C calc'!A0"
ODD: list[Any] = [None, [], {}, "", -1, 1e308, float("nan"), 10**400, "../../private/secret", "/etc/passwd", True]
ODD += [ESCAPES, MARKUP, FORMULA, "\ud800", [[[[]]]], {"a": {"b": {}}}, "x" * 100_000, [1, "a", None], 2**63, "nan"]
Damage = Callable[[Path, Place, random.Random], None]


def cleared(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def put(make: Callable[[Path, Place, random.Random], None]) -> Damage:
    """Replace what is there."""

    def damage(path: Path, place: Place, random: random.Random) -> None:
        cleared(path)
        make(path, place, random)

    return damage


def text(content: str | bytes) -> Damage:
    return put(
        lambda path, place, random: path.write_bytes(content if isinstance(content, bytes) else content.encode())
    )


def listening(path: Path, place: Place, random: random.Random) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def sparse(path: Path, place: Place, random: random.Random) -> None:
    with path.open("wb") as file:
        file.truncate(30 * 2**30)


def flip(path: Path, place: Place, random: random.Random) -> None:
    """Flip one bit of a file; nothing of a folder."""
    if path.is_file() and (content := bytearray(path.read_bytes())):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(content)


def cut(path: Path, place: Place, random: random.Random) -> None:
    if path.is_file() and (size := path.stat().st_size):
        os.truncate(path, random.randrange(size))


def odd_value(path: Path, place: Place, random: random.Random) -> None:
    """Replace one value somewhere in a JSON file, or in a line of one."""
    if not path.is_file() or path.suffix not in (".json", ".jsonl"):
        return flip(path, place, random)
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    if not lines:
        return
    number = random.randrange(len(lines))
    tree = json.loads(lines[number])
    node, key = random.choice(list(nodes(tree)))
    if random.random() < 0.2 and isinstance(node, dict):
        del node[key]
    else:
        node[key] = random.choice(ODD)
    lines[number] = json.dumps(tree)
    path.write_text("\n".join(lines) + "\n")


def nodes(tree: Any) -> Any:
    """Each container below a value, with each of its keys."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from nodes(tree[key])


DAMAGES: dict[str, Damage] = {
    "link": put(lambda path, place, _: path.symlink_to(place.secret)),
    "link_to_folder": put(lambda path, place, _: path.symlink_to(place.private)),
    "relative_link": put(lambda path, place, _: path.symlink_to(os.path.relpath(place.secret, path.parent))),
    "dangling": put(lambda path, place, _: path.symlink_to(place.private / "new")),
    "loop": put(lambda path, place, _: path.symlink_to(path)),
    "zero": put(lambda path, place, _: path.symlink_to("/dev/zero")),
    "pipe": put(lambda path, place, _: os.mkfifo(path)),
    "socket": put(listening),
    "hard_link": put(lambda path, place, _: path.hardlink_to(place.secret)),
    "folder": put(lambda path, place, _: path.mkdir()),
    "missing": put(lambda path, place, _: None),
    "sparse": put(sparse),
    "empty": text(""),
    "list": text("[]"),
    "object": text("{}"),
    "null": text("null"),
    "number": text("1"),
    "deep": text('{"a": ' * 20_000 + "1" + "}" * 20_000),
    "deep_list": text('{"step": ' + "[" * 990 + "]" * 990 + "}"),
    "many_values": text(b'{"step": 1, "a": [' + b"[]," * 5_000_000 + b"[]]}"),
    "many_lines": text(b'{"step": 1, "split": "val", "val/loss": 1}\n' * 200_000),
    "long_number": text('{"step": ' + "9" * 4_000 + "}"),
    "not_text": text(bytes(range(256)) * 20),
    "escapes": text(json.dumps({"step": ESCAPES, ESCAPES: MARKUP}, ensure_ascii=False)),
    "flip": flip,
    "cut": cut,
    "odd_value": odd_value,
    "odd_value_again": odd_value,
    "odd_value_once_more": odd_value,
}


def git(cwd: Path, *lines: str) -> None:
    """A repository whose settings run commands."""
    subprocess.run(["git", "init", "-q", str(cwd)], check=True, capture_output=True)
    with (cwd / ".git" / "config").open("a") as config:
        config.write("\n".join(lines) + "\n")
