"""The command lines that dltool documents: where they stand, and what a shell would change in them."""

import argparse
import ast
import functools
import itertools
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from documents import fences
from places import REPOSITORY

from dltool.cli.main import VERBS, make_parser
from dltool.core.errors import DltoolError
from dltool.declarations.options import GROUPS

SPECIAL = "[]()*?{}<>|&;!~$`"
COMMAND = re.compile(r"(?:\$ |[a-z]+ {2,})?((?:dltool|pip|eval|cd) .+)")
DOTTED = r"[a-z_]\w*(?:[./@]\w+)+"
KEY = rf"[+~]{{0,2}}(?:(?:{'|'.join(GROUPS)}|seed|init_from|{DOTTED})=|{DOTTED}[<>!]=?)"
BEFORE = r"(?<![\w./'\"])"
OVERRIDE = re.compile(
    rf"(?P<quote>['\"])(?:{KEY}|~[a-z])(?:(?!(?P=quote))[^\n])*(?P=quote)"
    rf"|{BEFORE}{KEY}[^\s'\"`]+|{BEFORE}~[a-z]\w*"
)
NESTED = re.compile(r'"\$\((dltool [^)]*)\)"')  # eval "$(dltool completion bash)"
WORD = re.compile(r"""(?:[^\s'"\\]|'[^']*'|"(?:\\.|[^"\\])*"|\\.)+""")
SINGLE, DOUBLE = re.compile(r"'[^']*'"), re.compile(r'"[^"]*"')
OVERRIDE_VALUE = re.compile(rf"{KEY}\S*$|--[a-z-]+ $")
COMMAND_VALUE = re.compile(rf"dltool (?:{'|'.join(VERBS)}) [^;,`]*$")
MARKUP = re.compile(r"</?[a-z]+(?: [a-z-]+=|>)")  # A tag of HTML or SVG.
OPERATORS, READERS = ("&&", "|", ">"), ("jq", "source")  # What a documented command pipes into.


@dataclass(frozen=True)
class Line:
    """A command line, or a part of one, and where it stands.

    Attributes:
        whole: It is a command line whatever its first word; else it is one if it begins like one.
    """

    place: str
    text: str
    whole: bool = False

    @property
    def command(self) -> str:
        return self.text if self.whole or COMMAND.fullmatch(self.text) else f"dltool train {self.text}"

    def exposed(self) -> str:
        """The characters that a shell does not hand to the command as they are."""
        text = NESTED.sub("WORD", self.text)
        found = "".join(WORD.sub("", text).split())  # A quotation mark without its pair.
        for before, word, after in triples(WORD.findall(text)):
            if word in OPERATORS and (word != "|" or after in READERS):
                continue
            bare = DOUBLE.sub("", SINGLE.sub("", word.removeprefix("~/") if before == ">" else word))
            found += "".join(re.findall(f"[{re.escape(SPECIAL)}]|^[#=]", bare))
            found += "".join(re.findall(r"[!$`]", "".join(DOUBLE.findall(SINGLE.sub("", word)))))
        return found

    def words(self) -> list[list[str]]:
        """The words of each command of the line."""
        if nested := NESTED.search(self.command):
            return [shlex.split(nested[1])]
        commands: list[list[str]] = [[]]
        for before, word, _ in triples(shlex.split(self.command)):
            if word in ("&&", "|"):
                commands.append([])
            elif ">" not in (before, word):
                commands[-1].append(word)
        return commands

    def targets(self) -> list[str]:
        """The files to which the line redirects."""
        return [target for sign, target in itertools.pairwise(shlex.split(self.command)) if sign == ">"]


def triples(words: list[str]) -> Iterable[tuple[str, str, str]]:
    """Each word with the one before and the one after."""
    return zip(["", *words], words, [*words[1:], ""], strict=False)


def documents() -> dict[str, Iterator[Line]]:
    """Each document that may have command lines, with those lines; read when they are iterated."""
    pages = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "dltool").rglob("*.md")])
    found = {str(page.relative_to(REPOSITORY)): lines_in_markdown(page) for page in pages}
    return found | {"--help": lines_in_help(make_parser()), "configs": lines_in_configs(), "source": lines_in_source()}


@functools.cache
def lines_of(document: str) -> list[Line]:
    """Each command line of a document once."""
    return list(dict.fromkeys(documents()[document]))


def lines_in_markdown(path: Path) -> Iterator[Line]:
    """Commands in bash fences and indented blocks; in backticks what is a command or begins as a part of one."""
    place = str(path.relative_to(REPOSITORY))
    for fence in fences(path):
        if fence.language == "bash":
            yield from (Line(f"{place}:{fence.line}", command, whole=True) for command in fence.commands())
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    block = re.compile(r"^ {4}.*\n", re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", "".join(block.findall(text))).splitlines():
        if command := COMMAND.fullmatch(line.strip()):
            yield Line(place, command[1])
        else:
            yield from overrides_in(line, place)
    for code in re.findall(r"`([^`]+)`", block.sub("", text)):
        yield from lines_in_code(" ".join(code.replace(r"\|", "|").split()), place)


def lines_in_help(parser: argparse.ArgumentParser) -> Iterator[Line]:
    """What --help of dltool, of every verb and of every action shows."""
    place = f"{parser.prog} --help"
    for line in (parser.epilog or "").splitlines():
        columns = [Line(place, column) for column in re.split(r" {2,}", line.strip()) if COMMAND.fullmatch(column)]
        yield from columns or lines_in_prose(line, place)
    for action in parser._actions:
        yield from lines_in_prose(action.help or "", place)
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from lines_in_help(verb)


def lines_in_configs() -> Iterator[Line]:
    """Commands and overrides in the comments of the YAML files; a line that begins with an override goes on."""
    for path in sorted((REPOSITORY / "configs").rglob("*.yaml")):
        place = str(path.relative_to(REPOSITORY))
        comments = "\n".join(re.findall(r"(?:^|\s)# ?(.*)", path.read_text(encoding="utf-8")))
        for line in re.sub(rf"\n {{3,}}(?={KEY})", " ", comments).splitlines():
            if (command := re.search(r"dltool .+", line)) and "`" not in line:
                yield Line(place, command[0])
            else:
                yield from lines_in_prose(line, place)


def lines_in_source() -> Iterator[Line]:
    """Commands and overrides in every text of the package: hints, messages, docstrings; not in markup of pages."""
    for path in source_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        parts |= quoted_parts(nodes)
        for node in nodes:
            text = isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in parts
            if text and not MARKUP.search(written(node)):
                yield from lines_in_prose(written(node), f"{path.relative_to(REPOSITORY)}:{node.lineno}")


def source_files() -> list[Path]:
    return sorted((REPOSITORY / "dltool").rglob("*.py"))


def quoted_parts(nodes: Iterable[ast.AST]) -> set[int]:
    """The ids of what is handed to dltool.core.shell."""
    names = ("quoted", "setting", "trust_flags")
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", None) in names]
    return {id(part) for call in calls for part in ast.walk(call)}


def written(node: ast.expr) -> str:
    """A text as it is written, with a plain key in the place of each value; empty for what is no text."""
    if isinstance(node, ast.JoinedStr):
        return "".join(written(part) if isinstance(part, ast.Constant) else "model.x" for part in node.values)
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return re.sub(r"\{[a-z]+\.[a-z_]+\}", "model.x", text)  # The `{data.name}` of a rule.


def lines_in_prose(text: str, place: str) -> Iterator[Line]:
    for code in re.findall(r"`([^`\n]+)`", text):
        yield from lines_in_code(code, place)
    yield from overrides_in(re.sub(r"`[^`\n]+`", "", text), place)


def lines_in_code(code: str, place: str) -> Iterator[Line]:
    """What stands between backticks, where it is a command or begins as a part of one."""
    if COMMAND.fullmatch(code) or re.match(rf"['\"]?{KEY}[^=]|--[a-z]", code):
        yield Line(place, code)


def overrides_in(text: str, place: str) -> Iterator[Line]:
    """The overrides in a sentence, without its punctuation."""
    for found in OVERRIDE.finditer(text):
        word = found[0] if found["quote"] else re.sub(r"[.,;:?]+$", "", found[0])
        if word.endswith(")") and word.count(")") > word.count("("):
            word = re.sub(r"[.,;:?]*\)+$", "", word)
        yield Line(place, word)


def unquoted_values() -> Iterator[str]:
    """Values in hints and suggested commands that dltool.core.shell has not quoted, numbers apart."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in source_files()}
    takers = hint_positions(trees.values())
    for path, tree in trees.items():
        nodes = list(ast.walk(tree))
        hints, safe = {id(node) for node in nodes_of_hints(tree, takers)}, quoted_parts(nodes)
        for node in nodes:
            before = ""
            for part in node.values if isinstance(node, ast.JoinedStr) and id(node) not in safe else ():
                bare = isinstance(part, ast.FormattedValue) and id(part.value) not in safe and not is_number(part.value)
                typed = COMMAND_VALUE.search(before) or (id(node) in hints and OVERRIDE_VALUE.search(before))
                if bare and typed:
                    yield f"{path.relative_to(REPOSITORY)}:{node.lineno}: {before}{{{ast.unparse(part)}}}"
                before += written(part) if isinstance(part, ast.Constant) else "model.x"


def is_number(value: ast.expr) -> bool:
    """Whether a value is a number by its form: `2 * n` or `max(1, n)`."""
    if isinstance(value, ast.BinOp):
        return any(isinstance(side, ast.Constant) and isinstance(side.value, int) for side in (value.left, value.right))
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("max", "min", "len", "round")


def hint_positions(trees: Iterable[ast.Module]) -> dict[str, int]:
    """Errors, functions and dataclasses that take a hint, to its position."""
    found = {error.__name__: 1 for error in subclasses(DltoolError)}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            names = [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            names = [ast.unparse(field.target) for field in node.body if isinstance(field, ast.AnnAssign)]
        else:
            continue
        if "hint" in names:
            found[node.name] = names.index("hint")
    return found


def subclasses(of: type) -> Iterator[type]:
    yield of
    for one in of.__subclasses__():
        yield from subclasses(one)


def nodes_of_hints(tree: ast.Module, takers: dict[str, int]) -> Iterator[ast.AST]:
    """All of what is given as a hint, assigned to a name that is given as one, or returned by a *_hint."""
    hints: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            position = takers.get(ast.unparse(node.func).rpartition(".")[2], len(node.args))
            hints += node.args[position : position + 1]
            hints += [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
        elif isinstance(node, ast.FunctionDef) and node.name.endswith("hint"):
            hints += [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
    names = {part.id for hint in hints for part in ast.walk(hint) if isinstance(part, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            hints += [node.value for target in targets if ast.unparse(target) in names]
    for hint in hints:
        yield from ast.walk(hint)
