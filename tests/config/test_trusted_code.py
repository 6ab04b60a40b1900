"""A run's record of its code is somebody else's file: it is read with care."""

import json
from pathlib import Path

import pytest

from dltool.config.trusted_code import check_against_run, reread
from dltool.core.errors import ConfigError
from dltool.trust.sources import read_source

GOOD = {"path": "/gone/models.py", "sha256": "ab" * 32, "registers": ["model=mine"]}


def check(folder: Path, trusted: object) -> None:
    (folder / "environment.json").write_text(trusted if isinstance(trusted, str) else json.dumps({"trusted": trusted}))
    check_against_run("model", "mine", str(folder / "config.yaml"))


@pytest.mark.parametrize("trusted", ["{", "[]", "null", 3, [3], [{"path": "x"}], [{**GOOD, "registers": 4}], []])
def test_a_damaged_record_is_none(tmp_path: Path, trusted: object) -> None:
    check(tmp_path, trusted)


def test_no_run_beside_the_config(tmp_path: Path) -> None:
    check_against_run("model", "mine", "model/mine.yaml")
    check_against_run("model", "mine", str(tmp_path / "config.yaml"))


def test_nothing_in_it_steers_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check(tmp_path, [{**GOOD, "path": "/tmp/\x1b[2Jevil\n.py", "sha256": "\x07" * 64}])
    said = caught.value.report()
    assert said.count("\n") == 1
    assert said.replace("\n", "").isprintable()


def test_what_another_process_read_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text("a = 1\n")
    record = {"path": str(path), "sha256": read_source(path).sha256, "registers": []}
    assert [source.path for source in reread([record])] == [path]
    path.write_text("a = 2\n")
    with pytest.raises(ConfigError, match="has changed since this search started"):
        reread([record])
