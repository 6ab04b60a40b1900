"""A YAML file is refused in one sentence before its values take time or memory."""

import time
from pathlib import Path

import pytest

from dltool.core.errors import ConfigError
from dltool.core.yaml_text import read_yaml

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join(['*' + m] * 9)}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "aliases": (LAUGHS.encode(), "more than 5,000 values"),
    "recursion": (b"z: &z [*z]\n", "alias of a value that contains it"),
    "recursive mapping": (b"z: &z\n  y: *z\n", "alias of a value that contains it"),
    "depth": (b"z: " + b"[" * 3000 + b"]" * 3000, "depth|levels deep"),
    "depth below the parser's limit": (b"z: " + b"[" * 60 + b"]" * 60, "levels deep"),
    "size": (b"# " + b"x" * 12_000_000, "larger than 1,000,000 bytes"),
    "digits": (b"seed: " + b"9" * 10_000, "a number of 10,000 digits"),
    "latin-1": ("name: é".encode("latin-1"), "line 1 is not UTF-8"),
    "utf-16": ("name: x".encode("utf-16"), "line 1 is not UTF-8"),
    "python tag": (b"z: !!python/object/apply:os.system [true]", "tag .* is not allowed"),
    "set": (b"z: !!set {a, b}", "tag .* is not allowed"),
    "syntax": (b"z: [", "is not readable YAML"),
}


@pytest.mark.parametrize(("content", "problem"), REFUSED.values(), ids=REFUSED)
def test_refuses_in_a_second(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(ConfigError, match=problem) as refused:
        read_yaml(file)
    assert time.monotonic() - start < 1
    assert "hostile.yaml" in refused.value.message


def test_reads_what_a_config_may_contain(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("\ufeffa: &a {b: 1}\nc: *a\nd: !!str 1\n", encoding="utf-8")
    assert read_yaml(file) == {"a": {"b": 1}, "c": {"b": 1}, "d": "1"}
