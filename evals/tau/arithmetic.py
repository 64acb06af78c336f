"""Sums as the official `calculate` does them, without running anybody's code."""

import ast
import operator
from collections.abc import Callable, Mapping

_TWO: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_ONE: Mapping[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_LETTERS = frozenset("0123456789+-*/(). ")
_LONGEST = 500


def calculate(expression: str) -> str:
    """Return the value, rounded to two places, such as "7.5"; `ValueError`, `SyntaxError` or `ZeroDivisionError`."""
    if not set(expression) <= _LETTERS:
        raise ValueError("Invalid characters in expression")
    if len(expression) > _LONGEST:
        raise ValueError("The expression is too long")
    return str(round(float(_value(ast.parse(expression.strip(), "<string>", "eval").body)), 2))


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=sign, operand=inner) if type(sign) in _ONE:
            return _ONE[type(sign)](_value(inner))
        # Powers are left out on purpose: four signs of "9**9**9" would keep a machine busy for ever.
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _TWO:
            return _TWO[type(sign)](_value(left), _value(right))
    raise ValueError("invalid expression")
