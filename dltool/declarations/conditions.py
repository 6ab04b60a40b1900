"""The language of the conditions of `requires`: a subset of Python's expressions, checked and evaluated over `ast`.

A condition is evaluated while a config is checked, before any code of its file may run. It is therefore never compiled:
only the syntax that this module names is allowed, and no attribute of a Python object can be reached. Sizes and steps
are bounded, so that a condition cannot exhaust memory or time.
"""

import ast
from collections.abc import Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from dltool.declarations.evaluation import ARITHMETIC, FUNCTIONS, SIGNS, Evaluation

MAX_NODES = 500  # Nodes of the syntax tree of a condition.
MAX_DEPTH = 50  # Depth of that tree.

OF_ITEMS = ("min", "max", "any", "all")  # Functions that take a generator expression.


class UnreadableCondition(ValueError):
    """An expression that is outside the language.

    Args:
        node: The part that is outside.
        problem: The reason.
    """

    def __init__(self, node: ast.expr, problem: str) -> None:
        super().__init__(problem)
        self.node = node
        self.problem = problem


@dataclass(frozen=True)
class Condition:
    """A condition over the whole config, callable like the lambda that it was read from.

    Attributes:
        parameter: The lambda's argument, `config`.
        body: The expression that it returns, checked to be inside the language.
    """

    parameter: str
    body: ast.expr

    @classmethod
    def read(cls, node: ast.expr) -> "Condition":
        """Read `lambda config: …`.

        Raises:
            UnreadableCondition: The expression is not such a lambda, or its body is outside the language.
        """
        if not isinstance(node, ast.Lambda):
            raise UnreadableCondition(node, "a condition is a lambda over the config")
        names = [argument.arg for argument in node.args.args]
        if len(names) != 1 or ast.unparse(node.args) != names[0] or names[0] in FUNCTIONS:
            raise UnreadableCondition(node, "a condition is a lambda with one argument, the config")
        Reader().read(node.body, frozenset(names), 1)
        return cls(names[0], node.body)

    def __call__(self, config: SimpleNamespace) -> Any:
        """The value for a config whose groups and fields are attributes of namespaces.

        Raises:
            Exception: The built-in exception that the lambda would raise; a RuntimeError if it takes too many steps.
        """
        return Evaluation().value(self.body, {self.parameter: config})


class Reader:
    """Checks that an expression is inside the language."""

    def __init__(self) -> None:
        self.num_nodes = 0

    def read(self, node: ast.expr, names: frozenset[str], depth: int) -> None:
        """Check an expression in which these names are defined.

        Raises:
            UnreadableCondition: A part is outside the language; the first such part is reported.
        """
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES or depth > MAX_DEPTH:
            raise UnreadableCondition(node, "the condition is too long")
        for child in self.parts(node, names):
            self.read(child, names, depth + 1)
        if isinstance(node, ast.Call) and isinstance(node.args[0], ast.GeneratorExp):
            self.read_items(node.args[0], names, depth + 1)

    def parts(self, node: ast.expr, names: frozenset[str]) -> Collection[ast.expr]:
        """The expressions below a node in which the same names are defined."""
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str()):
                return ()
            case ast.Name(id=name) if name in names:
                return ()
            case ast.Name(id=name):
                raise UnreadableCondition(node, f"{name!r} is not known in a condition")
            case ast.Attribute(value=ast.Name() | ast.Attribute() as value, attr=name) if not name.startswith("_"):
                return (value,)
            case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper, step=step)):
                return [value, *(bound for bound in (lower, upper, step) if bound is not None)]
            case ast.Subscript(value=value, slice=index):
                return value, index
            case ast.Compare(left=left, comparators=others):
                return left, *others
            case ast.BoolOp(values=values):
                return values
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return (operand,)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in SIGNS:
                return numbers(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return numbers(left, right)
            case ast.IfExp(test=test, body=body, orelse=other):
                return test, body, other
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return items
            case ast.Dict(keys=keys, values=values) if None not in keys:
                return [*(key for key in keys if key is not None), *values]
            case ast.Call():
                return called(node)
        raise UnreadableCondition(node, f"`{ast.unparse(node)}` cannot be part of a condition")

    def read_items(self, node: ast.GeneratorExp, names: frozenset[str], depth: int) -> None:
        """Check `expression for name in items if condition`, the argument of any, all, min and max."""
        loop = node.generators[0]
        if len(node.generators) != 1 or loop.is_async or not isinstance(loop.target, ast.Name):
            raise UnreadableCondition(node, "a generator expression has one `for` with one name in a condition")
        if loop.target.id in FUNCTIONS:
            raise UnreadableCondition(node, f"{loop.target.id!r} is the name of a function in a condition")
        self.read(loop.iter, names, depth)
        for inner in (node.elt, *loop.ifs):
            self.read(inner, names | {loop.target.id}, depth)


def numbers(*operands: ast.expr) -> tuple[ast.expr, ...]:
    """Check the operands of arithmetic, none of which may be a literal other than a number."""
    for operand in operands:
        text = isinstance(operand, ast.Constant) and not isinstance(operand.value, (int, float))
        if text or isinstance(operand, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            raise UnreadableCondition(operand, f"`{ast.unparse(operand)}`: arithmetic is for numbers in a condition")
    return operands


def called(call: ast.Call) -> list[ast.expr]:
    """The parts of `function(…)` and of `mapping.get(key, default)`, except a generator expression."""
    match call:
        case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[_] | [_, _], keywords=[]):
            return [value, *call.args]
        case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp()], keywords=[]) if name in OF_ITEMS:
            return []
        case ast.Call(func=ast.Name(id="len" | "any" | "all"), args=[item], keywords=[]):
            return [item]
        case ast.Call(func=ast.Name(id="min" | "max"), args=[_, *_], keywords=[]):
            return call.args
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise UnreadableCondition(call, f"{name!r} is not known in a condition")
    raise UnreadableCondition(call, f"`{ast.unparse(call)}` cannot be part of a condition")
