"""What every command does before and after its work."""

import os

import pytest

from dltool.cli.main import main


@pytest.mark.parametrize("words", [["runs"], ["train", "model=mlp", "data=iris"], ["show", "a"]], ids=" ".join)
def test_a_removed_working_directory_is_one_error_line(tmp_path, capsys, words):
    here = os.open(".", os.O_RDONLY)
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        assert main(words) == 2
    finally:
        os.fchdir(here)
        os.close(here)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "error: the working directory cannot be used: No such file or directory",
        "hint: cd to another folder",
    ]
