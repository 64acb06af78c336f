"""The official calculator: sums in digits, nothing else."""

import ast
import operator
from collections.abc import Callable, Mapping

from evals.tau.domain import Refused
from evals.tau.retail.refusals import refused

_ALLOWED = frozenset("0123456789+-*/(). ")
_LONGEST = 1_000
_HIGHEST_POWER = 64
_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def calculated(expression: str) -> str:
    """Return the value with at most two digits after the point; `Refused` for what is no sum."""
    if not set(expression) <= _ALLOWED or len(expression) > _LONGEST:
        raise refused("Invalid characters in expression")
    try:
        tree = ast.parse(expression.lstrip(" "), filename="<string>", mode="eval")
        return str(round(float(_value(tree.body)), 2))
    except (SyntaxError, ZeroDivisionError, OverflowError, TypeError) as wrong:
        raise Refused(f"{type(wrong).__name__}: {wrong}") from wrong


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=sign, operand=operand):
            return _UNARY[type(sign)](_value(operand))
        case ast.BinOp(left=left, op=sign, right=right):
            values = _value(left), _value(right)
            if isinstance(sign, ast.Pow) and abs(values[1]) > _HIGHEST_POWER:
                raise OverflowError("the power is too high")
            return _BINARY[type(sign)](*values)
        case _:
            raise TypeError("not a sum")
