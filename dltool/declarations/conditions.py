"""The language of the conditions of `requires`: a part of Python's expressions, checked and evaluated over `ast`.

A condition is evaluated while a config is checked, before anything of the file that states it may run. It is therefore
never compiled: what this module does not name has no meaning, and no attribute of a Python object can be reached. Sizes
and steps are bounded, so that no condition can use up the memory or the time.
"""

import ast
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

MAX_NODES = 500  # Of the syntax tree of a condition.
MAX_DEPTH = 50  # Of that tree.
MAX_BITS = 1024  # Of a whole number that arithmetic gives.
MAX_STEPS = 100_000  # Of one evaluation: a step is a node evaluated, or an element compared or gone through.

FUNCTIONS: dict[str, Callable[..., Any]] = {"len": len, "min": min, "max": max, "any": any, "all": all}
OF_ITEMS = ("min", "max", "any", "all")  # Take a generator expression.
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


class UnreadableCondition(ValueError):
    """An expression that is outside the language.

    Args:
        node: Where.
        problem: What is wrong with it.
    """

    def __init__(self, node: ast.expr, problem: str) -> None:
        super().__init__(problem)
        self.node = node
        self.problem = problem


@dataclass(frozen=True)
class Condition:
    """A condition over the whole config, callable like the lambda that states it.

    Attributes:
        parameter: The lambda's argument, `config`.
        body: What it returns; inside the language.
    """

    parameter: str
    body: ast.expr

    @classmethod
    def read(cls, node: ast.expr) -> "Condition":
        """Read `lambda config: …`.

        Raises:
            UnreadableCondition: For another expression, or a body that is outside the language.
        """
        if not isinstance(node, ast.Lambda):
            raise UnreadableCondition(node, "a condition is a lambda over the config")
        names = [argument.arg for argument in node.args.args]
        if len(names) != 1 or ast.unparse(node.args) != names[0] or names[0] in FUNCTIONS:
            raise UnreadableCondition(node, "a condition is a lambda with one argument, the config")
        Reader().read(node.body, frozenset(names), 1)
        return cls(names[0], node.body)

    def __call__(self, config: SimpleNamespace) -> Any:
        """The value for a config whose groups, and whose groups' fields, are attributes of namespaces.

        Raises:
            Exception: Of Python's own classes, as the lambda would; a RuntimeError where it takes too long.
        """
        return Evaluation().value(self.body, {self.parameter: config})


class Reader:
    """Checks that an expression is inside the language."""

    def __init__(self) -> None:
        self.num_nodes = 0

    def read(self, node: ast.expr, names: frozenset[str], depth: int) -> None:
        """Check an expression in which these names are known.

        Raises:
            UnreadableCondition: For the first part that is not.
        """
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES or depth > MAX_DEPTH:
            raise UnreadableCondition(node, "the condition is too long")
        for child in self.parts(node, names):
            self.read(child, names, depth + 1)
        if isinstance(node, ast.Call) and isinstance(node.args[0], ast.GeneratorExp):
            self.read_items(node.args[0], names, depth + 1)

    def parts(self, node: ast.expr, names: frozenset[str]) -> Collection[ast.expr]:
        """The expressions below a node in which the same names are known."""
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
        """`expression for name in items if condition`, as any, all, min and max take it."""
        loop = node.generators[0]
        if len(node.generators) != 1 or loop.is_async or not isinstance(loop.target, ast.Name):
            raise UnreadableCondition(node, "a generator expression has one `for` with one name in a condition")
        if loop.target.id in FUNCTIONS:
            raise UnreadableCondition(node, f"{loop.target.id!r} is the name of a function in a condition")
        self.read(loop.iter, names, depth)
        for inner in (node.elt, *loop.ifs):
            self.read(inner, names | {loop.target.id}, depth)


def numbers(*operands: ast.expr) -> tuple[ast.expr, ...]:
    """The operands of arithmetic, none of which may be a literal of another kind."""
    for operand in operands:
        text = isinstance(operand, ast.Constant) and not isinstance(operand.value, (int, float))
        if text or isinstance(operand, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            raise UnreadableCondition(operand, f"`{ast.unparse(operand)}`: arithmetic is for numbers in a condition")
    return operands


def called(call: ast.Call) -> list[ast.expr]:
    """The parts of `function(…)` and of `mapping.get(key, default)`, but for a generator expression."""
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


class Evaluation:
    """Evaluates an expression that was read, once, as Python would."""

    def __init__(self) -> None:
        self.num_steps = 0

    def charge(self, value: Any) -> None:
        """Count the steps that going through a value takes, one for each element at any depth of it."""
        self.num_steps += 1
        if self.num_steps > MAX_STEPS:
            raise RuntimeError(f"the condition takes more than {MAX_STEPS:,} steps")
        if isinstance(value, str):
            self.num_steps += len(value) // 64
        elif isinstance(value, SimpleNamespace):
            self.charge(vars(value))
        elif isinstance(value, (list, tuple, set)):
            for item in value:
                self.charge(item)
        elif isinstance(value, dict):
            for item in value.values():
                self.charge(item)

    def value(self, node: ast.expr, names: Mapping[str, Any]) -> Any:
        self.charge(None)
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return names[name]
            case ast.Attribute():
                return self.field(node, names)
            case ast.Subscript(value=items, slice=index):
                return self.item(self.value(items, names), index, names)
            case ast.Compare():
                return self.comparison(node, names)
            case ast.BoolOp(op=op, values=values):
                return self.connected(isinstance(op, ast.Or), values, names)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand, names)
            case ast.UnaryOp(op=op, operand=operand):
                return SIGNS[type(op)](number(self.value(operand, names)))
            case ast.BinOp(left=left, op=op, right=right):
                return arithmetic(op, self.value(left, names), self.value(right, names))
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.value(test, names) else other, names)
            case ast.Tuple(elts=items):
                return tuple(self.value(item, names) for item in items)
            case ast.List(elts=items):
                return [self.value(item, names) for item in items]
            case ast.Set(elts=items):
                return {self.value(item, names) for item in items}
            case ast.Dict(keys=keys, values=values):
                return {self.value(k, names): self.value(v, names) for k, v in zip(keys, values, strict=True) if k}
            case ast.Call():
                return self.result(node, names)
        raise TypeError(f"{ast.unparse(node)} is outside the language")

    def field(self, node: ast.Attribute, names: Mapping[str, Any]) -> Any:
        """A group of the config, or a field of a group; of nothing else is there an attribute."""
        fields = self.value(node.value, names)
        if type(fields) is not SimpleNamespace or node.attr not in vars(fields):
            raise AttributeError(f"{ast.unparse(node.value)} has no attribute {node.attr!r}")
        return vars(fields)[node.attr]

    def item(self, items: Any, index: ast.expr, names: Mapping[str, Any]) -> Any:
        if not isinstance(items, (list, tuple, dict, str)):
            raise TypeError(f"{type(items).__name__} has no items")
        if not isinstance(index, ast.Slice):
            return items[self.value(index, names)]
        bounds = (index.lower, index.upper, index.step)
        part = items[slice(*(None if bound is None else self.value(bound, names) for bound in bounds))]
        self.charge(part)
        return part

    def comparison(self, node: ast.Compare, names: Mapping[str, Any]) -> Any:
        """`a < b < c`, which compares b with c only where a < b."""
        left, result = self.value(node.left, names), True
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.value(comparator, names)
            self.charge(left)
            self.charge(right)
            result = COMPARISONS[type(op)](left, right)
            if not result:
                return result
            left = right
        return result

    def connected(self, end: bool, values: list[ast.expr], names: Mapping[str, Any]) -> Any:
        """`a or b`, which ends at the first that is true, or `a and b`, at the first that is false."""
        value = None
        for node in values:
            value = self.value(node, names)
            if bool(value) is end:
                break
        return value

    def result(self, call: ast.Call, names: Mapping[str, Any]) -> Any:
        """What a function, or the `get` of a mapping, returns."""
        if isinstance(call.func, ast.Attribute):
            mapping = self.value(call.func.value, names)
            if not isinstance(mapping, dict):
                raise TypeError(f"{ast.unparse(call.func.value)} is no mapping")
            return mapping.get(*(self.value(argument, names) for argument in call.args))
        function = FUNCTIONS[ast.unparse(call.func)]
        if isinstance(call.args[0], ast.GeneratorExp):
            return function(self.items(call.args[0], names))
        arguments = [self.value(argument, names) for argument in call.args]
        if function is not len:
            self.charge(arguments)
        return function(*arguments)

    def items(self, node: ast.GeneratorExp, names: Mapping[str, Any]) -> Iterator[Any]:
        loop = node.generators[0]
        assert isinstance(loop.target, ast.Name)
        items = self.value(loop.iter, names)
        if not isinstance(items, (list, tuple, set, dict, str)):
            raise TypeError(f"{ast.unparse(loop.iter)} has no items")
        for item in items:
            inner = {**names, loop.target.id: item}
            if all(self.value(condition, inner) for condition in loop.ifs):
                yield self.value(node.elt, inner)


def number(value: Any) -> int | float:
    if not isinstance(value, (int, float)):
        raise TypeError(f"arithmetic is for numbers, not for {type(value).__name__}")
    return value


def arithmetic(op: ast.operator, left: Any, right: Any) -> int | float:
    """`left op right` of two numbers.

    Raises:
        TypeError: For operands that are not numbers, or a result that is not real.
        OverflowError: For a result of more than MAX_BITS bits.
    """
    left, right = number(left), number(right)
    exponent = right if isinstance(op, ast.Pow) and isinstance(left, int) and isinstance(right, int) else 1
    if exponent > 1 and abs(left).bit_length() * exponent > MAX_BITS:
        raise OverflowError("the power is too large")
    result = number(ARITHMETIC[type(op)](left, right))
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise OverflowError("the number is too large")
    return result
