"""Parses one Python file: its definitions and the meaning of its names, without importing anything.

Only the files of the components that a config selects are parsed (dltool.declarations.registry finds them), and those
from which they import a rule, a type or a base class. Trusted code is not imported either.
"""

import ast
import importlib.util
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property

from dltool.core.package import PACKAGE
from dltool.trust.former_names import current_name
from dltool.trust.sources import TrustedFile, trusted_file

Definition = ast.ClassDef | ast.FunctionDef


@cache
def source_module(name: str) -> "SourceModule":
    """The module of a name, from dltool or from a trusted source.

    Raises:
        OSError: No such module exists.
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
        name: The name by which it is imported.
        file: Its text.

    Attributes:
        definitions: The classes and functions at module level.
        aliases: The names that are assigned exactly once at module level, with their values.
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
                for alias in node.names:  # In `try: import …; except ImportError: import …` the first import counts.
                    self.imports.setdefault(alias.asname or alias.name, (current_name(module), alias.name))

    def imported_module(self, node: ast.ImportFrom) -> str:
        """The full name of the module in `from … import …`; with its dots if they lead above the package."""
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
        """The names by which other libraries and their contents are imported at module level."""
        found: list[ast.alias] = []
        for node in module_level(self.tree.body):
            if isinstance(node, ast.Import):
                found += [alias for alias in node.names if not self.is_own(alias.name)]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and not self.is_own(str(node.module)):
                found += node.names
        return frozenset(alias.asname or alias.name.partition(".")[0] for alias in found)

    def is_own_module(self, node: ast.expr) -> bool:
        """Whether an expression is the name of an imported module of dltool or of the same trusted source."""
        if isinstance(node, ast.Attribute):
            return self.is_own_module(node.value)
        if not isinstance(node, ast.Name):
            return False
        imported = [one for node in module_level(self.tree.body) if isinstance(node, ast.Import) for one in node.names]
        own = {one.asname or one.name.partition(".")[0] for one in imported if self.is_own(one.name)}
        return node.id in own or (node.id in self.imports and self.resolve(node.id) is None)

    def resolve(self, name: str) -> "tuple[SourceModule, Definition | ast.expr] | None":
        """The definition of a name at module level, here or in the module it is imported from, and that module.

        Returns:
            A class, a function, or the expression that is assigned to the name; None if the text does not define it.
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
        """The class or function that a name refers to, and its module.

        Raises:
            KeyError: The name refers to neither.
        """
        match self.resolve(name):
            case (module, ast.ClassDef() | ast.FunctionDef() as definition):
                return module, definition
        raise KeyError(name)


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported, including those inside `try` and `if`."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            handlers = getattr(node, "handlers", [])
            yield from module_level([*node.body, *(line for one in handlers for line in one.body), *node.orelse])


def assignments(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    """The names that a statement assigns, with their values."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [(target.id, value) for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return [(name, value)]
    return []
