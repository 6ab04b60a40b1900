"""Every command line of README, the manual and the help is the same words in bash and in zsh, and those it says."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from documents import DOCUMENTS, fences

from dltool.cli.main import main, make_parser, with_action
from dltool.cli.reference import commands

OPERATORS = {"|", "||", "&&", "&", ";", ">", ">>", "<"}
EXAMPLE = re.compile(r"  (dltool .*?)(?:  .*)?")
SCRIPT = """
for name in $STUBS; do
    eval "$name() { { printf '%s\\0' $name \\"\\$@\\"; printf '\\n'; } >> \\"\\$LOG\\"; }"
done
eval "$LINE"
"""


def lines_of_pages() -> list[tuple[str, str]]:
    return [
        (f"{topic}:{fence.line}", line)
        for topic, path in DOCUMENTS.items()
        for fence in fences(path)
        if fence.language == "bash"
        for line in fence.commands()
    ]


def lines_of_help() -> list[tuple[str, str]]:
    parser = make_parser()
    epilogs = [("--help", parser.epilog or ""), *((f"{name} --help", p.epilog or "") for name, p in commands(parser))]
    return [
        (name, found[1].strip())
        for name, text in epilogs
        for line in text.splitlines()
        if (found := EXAMPLE.fullmatch(line))
    ]


LINES = [*lines_of_pages(), *lines_of_help()]


def words_in(shell: str, line: str, folder: Path) -> tuple[int, list[list[str]], str]:
    """The exit code of a line, the words of each command in it, and the shell's complaints; nothing is executed."""
    (folder / "log").write_text("")
    for name in re.findall(r"(?:^|\s)\.\s+(\S+)", line):  # `. venv/bin/activate`
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    environment = {
        **{"PATH": "/usr/bin:/bin", "LOG": str(folder / "log"), "LINE": line},
        "STUBS": "dltool pip python python3 git pytest cd ls source cat head unzip nvidia-smi pre-commit ruff mypy",
    }
    script = SCRIPT if shell == "bash" else SCRIPT.replace("$STUBS", "${=STUBS}")
    done = subprocess.run(
        [shell, *(["-f"] if shell == "zsh" else ["--norc"]), "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    calls = [call.split("\0")[:-1] for call in (folder / "log").read_text().split("\n") if call]
    return done.returncode, calls, done.stderr


@pytest.mark.parametrize(("place", "line"), LINES)
def test_a_line_is_the_same_in_both_shells(place: str, line: str, tmp_path: Path) -> None:
    code, calls, complaint = words_in("bash", line, tmp_path)
    assert (code, complaint) == (0, "")
    assert calls
    if not OPERATORS & set(shlex.split(line)) and "$" not in line:
        assert calls == [shlex.split(line)]
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    assert words_in("zsh", line, tmp_path) == (0, calls, "")


@pytest.mark.parametrize(("place", "line"), lines_of_help())
def test_an_example_of_the_help_is_accepted(place: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser; a plain training composes too."""
    words = shlex.split(line)[1:]
    _, rest = make_parser().parse_known_args(with_action(words))
    assert not [word for word in rest if word.startswith("--") and words[0] != "sample"]
    if words[0] == "train" and not re.search(r"--(from|trust|config-dir|cfg)|/launcher", line):
        assert main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
