"""Evaluates a condition of `requires` as Python would, within bounds on size and time.

It is called only with expressions that dltool.declarations.conditions has checked.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

MAX_BITS = 1024  # Bits of an integer result of arithmetic.
MAX_STEPS = 100_000  # Per evaluation: a step is a node that is evaluated, or an element that is compared or visited.

FUNCTIONS: dict[str, Callable[..., Any]] = {"len": len, "min": min, "max": max, "any": any, "all": all}
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


class Evaluation:
    """Evaluates a checked expression once, as Python would."""

    def __init__(self) -> None:
        self.num_steps = 0

    def charge(self, value: Any) -> None:
        """Count the steps of visiting a value, one for each element at any depth."""
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
        """A group of the config, or a field of a group; no other attributes exist."""
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
        """`a < b < c`, which compares b with c only if a < b."""
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
        """`a or b`, which stops at the first true operand, or `a and b`, which stops at the first false one."""
        value = None
        for node in values:
            value = self.value(node, names)
            if bool(value) is end:
                break
        return value

    def result(self, call: ast.Call, names: Mapping[str, Any]) -> Any:
        """The result of a function, or of the `get` of a mapping or of a group of the config."""
        if isinstance(call.func, ast.Attribute):
            mapping = self.value(call.func.value, names)
            mapping = vars(mapping) if type(mapping) is SimpleNamespace else mapping
            if not isinstance(mapping, dict):
                raise TypeError(f"{ast.unparse(call.func.value)} is not a mapping")
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
        TypeError: An operand is not a number, or the result is not real.
        OverflowError: The result has more than MAX_BITS bits.
    """
    left, right = number(left), number(right)
    exponent = right if isinstance(op, ast.Pow) and isinstance(left, int) and isinstance(right, int) else 1
    if exponent > 1 and abs(left).bit_length() * exponent > MAX_BITS:
        raise OverflowError("the power is too large")
    result = number(ARITHMETIC[type(op)](left, right))
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise OverflowError("the number is too large")
    return result
