"""The decorators of a component: its registrations and its rules."""

import ast
import builtins

from dltool.core.errors import ConfigError
from dltool.declarations.modules import Definition, SourceModule
from dltool.declarations.rules import EXAMPLE, Rule, read_rule

HOME = "dltool.declarations.component"  # The module of `register` and `requires`.
HINT = f"a rule has a name at module level, `needs_width = {EXAMPLE}`, and is imported by it: from … import needs_width"


def register_calls(module: SourceModule, definition: Definition) -> list[ast.Call]:
    """The decorators `@register(…)` of a definition."""
    calls = (call_of(module, node, "register") for node in definition.decorator_list)
    return [call for call in calls if call is not None]


def call_of(module: SourceModule, node: ast.AST, name: str) -> ast.Call | None:
    """The node if it is a call of dltool's `register` or `requires`, under any imported name; else None."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        match module.resolve(node.func.id):
            case (home, ast.FunctionDef(name=found)) if home.name == HOME and found == name:
                return node
    return None


def rules_of(module: SourceModule, definition: Definition) -> tuple[Rule, ...]:
    """The rules of a component, in the order of its decorators, without those of its base classes.

    Raises:
        ConfigError: A decorator that belongs to dltool or the user cannot be read as a rule.
    """
    rules = (decorating_rule(module, node) for node in definition.decorator_list)
    return tuple(rule for rule in rules if rule is not None)


def decorating_rule(module: SourceModule, node: ast.expr) -> Rule | None:
    """The rule that a decorator declares; None for a registration, and for decorators of other libraries."""
    if call := call_of(module, node, "requires"):
        return read_rule(call, module.path)
    if isinstance(node, ast.Name) and (found := module.resolve(node.id)):
        home, value = found
        if call := call_of(home, value, "requires"):
            return read_rule(call, home.path)
    if call_of(module, node, "register") or is_foreign(module, node):
        return None
    problem = f"{module.path}, line {node.lineno}: the decorator `@{ast.unparse(node)}` cannot be read as a rule"
    raise ConfigError(problem, HINT)


def is_foreign(module: SourceModule, node: ast.expr) -> bool:
    """Whether a decorator belongs to another library, or to Python: `@dataclass`, `@torch.no_grad()`."""
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name) or node.id in (module.definitions | module.aliases | module.imports):
        return False
    return node.id in module.foreign or hasattr(builtins, node.id)
