"""One Python file as its text says it: what it defines, and what its names stand for, without importing anything.

Only the files of the components that a config selects are parsed (dltool.declarations.registry finds them), and those
that they take a rule, a type or a base class from. What the command line trusts is imported no more than dltool's own.
"""

import ast
import importlib.util
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

from dltool.trust.former_names import current_name
from dltool.trust.sources import TrustedFile, trusted_file

PACKAGE = Path(__file__).resolve().parents[1]
Definition = ast.ClassDef | ast.FunctionDef


@cache
def source_module(name: str) -> "SourceModule":
    """The module of that name, of dltool or of a trusted source.

    Raises:
        OSError: There is none.
    """
    if file := trusted_file(name):
        return SourceModule(name, file)
    folder = PACKAGE.parent.joinpath(*name.split("."))
    path = folder.with_suffix(".py")
    is_package = not path.exists()
    path = folder / "__init__.py" if is_package else path
    return SourceModule(name, TrustedFile(path, path.read_bytes(), is_package))


class SourceModule:
    """One parsed Python file, of the package or a trusted one.

    Args:
        name: As it is imported.
        file: Its text.

    Attributes:
        definitions: The classes and functions at module level.
        aliases: The names that are assigned once at module level, with what is assigned.
        imports: The names imported from dltool or from the same trusted source, with module and name there.
    """

    def __init__(self, name: str, file: TrustedFile) -> None:
        self.name = name
        self.path = file.path
        self.tree = ast.parse(file.text, str(file.path))
        self.home = name if file.is_package else name.rpartition(".")[0]
        self.definitions: dict[str, Definition] = {
            node.name: node for node in self.tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        }
        assigned = [pair for node in self.tree.body for pair in assignments(node)]
        times = Counter([*(name for name, _ in assigned), *self.definitions])
        self.aliases = {name: value for name, value in assigned if times[name] == 1}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in module_level(self.tree.body):
            if isinstance(node, ast.ImportFrom) and self.is_own(module := self.imported_module(node)):
                for alias in node.names:  # Of `try: import …; except ImportError: import …` the first counts.
                    self.imports.setdefault(alias.asname or alias.name, (current_name(module), alias.name))

    def imported_module(self, node: ast.ImportFrom) -> str:
        """The full name of the module that `from … import …` names; with its dots, where these lead too far up."""
        name = "." * node.level + (node.module or "")
        try:
            return importlib.util.resolve_name(name, self.home)
        except ImportError:
            return name

    def is_own(self, module: str) -> bool:
        """Whether a module belongs to dltool, or to the trusted source that this one belongs to."""
        return module.partition(".")[0] in (PACKAGE.name, self.name.partition(".")[0])

    @cached_property
    def foreign(self) -> frozenset[str]:
        """The names that other libraries, and what is in them, are imported by at module level."""
        found: list[ast.alias] = []
        for node in module_level(self.tree.body):
            if isinstance(node, ast.Import):
                found += [alias for alias in node.names if not self.is_own(alias.name)]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and not self.is_own(str(node.module)):
                found += node.names
        return frozenset(alias.asname or alias.name.partition(".")[0] for alias in found)

    def is_own_module(self, node: ast.expr) -> bool:
        """Whether an expression is the name of an imported module of dltool's or of the same trusted source."""
        if isinstance(node, ast.Attribute):
            return self.is_own_module(node.value)
        if not isinstance(node, ast.Name):
            return False
        imported = [one for node in module_level(self.tree.body) if isinstance(node, ast.Import) for one in node.names]
        own = {one.asname or one.name.partition(".")[0] for one in imported if self.is_own(one.name)}
        return node.id in own or (node.id in self.imports and self.resolve(node.id) is None)

    def resolve(self, name: str) -> "tuple[SourceModule, Definition | ast.expr] | None":
        """What a name at module level stands for, here or where it is imported from, and the module that says so.

        Returns:
            A class, a function, or the expression that the name is assigned; None where the text does not say.
        """
        module: SourceModule = self
        seen = set()
        while (module.name, name) not in seen:
            seen.add((module.name, name))
            if name in module.definitions:
                return module, module.definitions[name]
            if name in module.aliases:
                value = module.aliases[name]
                if not isinstance(value, ast.Name):
                    return module, value
                name = value.id
            elif name in module.imports:
                home, name = module.imports[name]
                try:
                    module = source_module(home)
                except OSError:
                    return None
            else:
                return None
        return None

    def find(self, name: str) -> "tuple[SourceModule, Definition]":
        """The class or function that a name stands for, and its module.

        Raises:
            KeyError: It stands for none.
        """
        match self.resolve(name):
            case (module, ast.ClassDef() | ast.FunctionDef() as definition):
                return module, definition
        raise KeyError(name)


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that are run when the module is, those inside `try` and `if` too."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            handlers = getattr(node, "handlers", [])
            yield from module_level([*node.body, *(line for one in handlers for line in one.body), *node.orelse])


def assignments(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    """The names that a statement assigns, with the value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [(target.id, value) for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return [(name, value)]
    return []
