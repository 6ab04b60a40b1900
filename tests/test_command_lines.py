"""Every command line that dltool documents or suggests can be pasted into bash and into zsh."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_lines import Line, documents, lines_of, unquoted_values
from warm_process import run_dltool

SHELLS = {  # As one types into them: bash expands `!`, zsh knows no comments.
    "bash": (["bash", "--norc", "--noprofile", "-i"], "shopt -s failglob"),
    "zsh": (["zsh", "-f", "-i", "-s"], ""),
}
# Writes the words that a command gets, after their number.
RECORD = r"""
record() { printf '%s\0' "$#" "$@" >>"$WORDS"; }
line() { builtin cd "$FOLDERS/$1"; record line "$1"; }
"""


@pytest.mark.parametrize("document", documents())
def test_no_character_is_left_to_the_shell(document: str) -> None:
    found = [f"{line.place}: {line.text}    has {line.exposed()}" for line in lines_of(document) if line.exposed()]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("document", [name for name, lines in documents().items() if any(lines)])
def test_a_shell_hands_over_the_words_as_written(document: str, shell: str, tmp_path: Path) -> None:
    lines = lines_of(document)
    for line, words in zip(lines, typed_into(shell, lines, tmp_path), strict=True):
        assert sorted(words) == sorted(line.words()), f"{line.place}: {line.text}"


def test_values_in_hints_are_quoted() -> None:
    found = list(unquoted_values())
    assert not found, "use dltool.core.shell:\n" + "\n".join(found)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "text",
    [
        "dltool train model.hidden=[256,64]",
        "dltool train seed=range(0,3)",
        "dltool train model.freeze=*.bias",
        'dltool train "model.freeze=[*,!fc]"',
        "dltool train optim.lr_factors={features:0.1,fc:1}",
        "dltool train data.path=$HOME",
        "dltool train model.arch=a|b",
        "dltool runs test/accuracy>=0.98",
    ],
)
def test_what_a_shell_changes_is_noticed(text: str, shell: str, tmp_path: Path) -> None:
    assert Line("", text).exposed()
    (words,) = typed_into(shell, [Line("", text)], tmp_path)
    assert words != [text.replace('"', "").split()]


@pytest.mark.parametrize("text", ["dltool train model=lenet   # a comment", "dltool train ~key", "dltool sample it's"])
def test_what_only_some_shells_change_is_noticed(text: str) -> None:
    assert Line("", text).exposed()


def typed_into(shell: str, lines: Sequence[Line], folder: Path) -> list[list[list[str]]]:
    """For each line the words of the commands that a shell runs for it, in a folder that is empty."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    home, words = folder / "home", folder / "words"
    home.mkdir()
    for number, line in enumerate(lines):
        (folder / str(number)).mkdir()
        for target in line.targets():
            (folder / str(number) / target.replace("~", str(home))).parent.mkdir(parents=True, exist_ok=True)
    names = {name for line in lines for name, *_ in line.words()}
    program, prepare = SHELLS[shell]
    script = [prepare, RECORD, *(f'{name}() {{ record {name} "$@"; }}' for name in sorted(names))]
    script += [f"line {number}\n{line.command}" for number, line in enumerate(lines)]
    subprocess.run(
        program,
        input="\n".join(script) + "\n",
        env={**os.environ, "HOME": str(home), "WORDS": str(words), "FOLDERS": str(folder)},
        text=True,
        capture_output=True,
        timeout=60,
        start_new_session=True,  # Without a terminal that an interactive shell could take over.
    )
    return recorded(words.read_text(encoding="utf-8"), len(lines))


def recorded(text: str, num_lines: int) -> list[list[list[str]]]:
    """What RECORD wrote, by line."""
    found: list[list[list[str]]] = [[] for _ in range(num_lines)]
    parts, number = iter(text.split("\0")[:-1]), 0
    for count in parts:
        words = [next(parts) for _ in range(int(count))]
        if words[0] == "line":
            number = int(words[1])
        else:
            found[number].append(words)
    return found


def test_commands_at_the_end_of_a_run_name_its_folder(tmp_path: Path) -> None:
    """The folder's name is one that a shell would take apart."""
    folder = "my runs/[1] it's $1"
    words = ["train", "data=iris", "model=mlp", f'run.dir="{folder}"', "trainer.epochs=1", "logger.plots=false"]
    done = run(tmp_path, *words, "trainer.threads=1")
    assert done.returncode == 0, done.stderr
    commands = [shlex.split(line)[1:] for line in done.stdout.splitlines() if " dltool " in line]
    assert [line[:2] for line in commands] == [["dltool", "predict"], ["dltool", "resume"], ["dltool", "train"]]
    assert all(folder in line for line in commands)
    resumed = run(tmp_path, *commands[1][1:])
    assert resumed.returncode == 0, resumed.stderr


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_dltool(*words, cwd=folder)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["optim.betas=[0.9,1.0]"], "the default of adam is 'optim.betas=[0.9,0.999]'"),
        (["model=mlp", "model.hidden=64,32"], "'model.hidden=[a,b]'"),
        (["trainer.test_views=[hflp]"], "did you mean hflip?"),
    ],
)
def test_hints_for_lists_are_quoted(words: list[str], hint: str, tmp_path: Path) -> None:
    done = run(tmp_path, "check", *words)
    assert done.returncode == 2
    assert hint in done.stderr.splitlines()[1]
