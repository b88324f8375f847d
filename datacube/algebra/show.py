"""Trees in their one canonical text; ``parse(show(tree)) == tree``."""

from typing import assert_never

from datacube.algebra.nodes import (
    Binary,
    BitTest,
    Call,
    Cast,
    Comparison,
    FieldRef,
    Leaf,
    Logic,
    NoData,
    Node,
    Number,
    Operator,
    Special,
    Truth,
    Unary,
    Where,
)
from datacube.algebra.text import COMPARE, NOT, STRENGTH
from datacube.algebra.tokens import is_plain_name

_MINUS, _ATOM = 8, 10


def show(tree: Node) -> str:
    """The text of a tree: one for each tree, without brackets that are not needed.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> show(parse('((a+b))*"sea-ice"**2 && !(c>.5)'))
    '(a + b) * "sea-ice" ^ 2 and not c > 0.5'
    """
    return _shown(tree)[0]


def shown_name(name: str, cube: str | None = None) -> str:
    """A field's name as it stands in an expression.

    Examples
    --------
    >>> shown_name("B8A"), shown_name("sea-ice", cube="arctic")
    ('B8A', 'arctic."sea-ice"')
    """
    parts = (name,) if cube is None else (cube, name)
    return ".".join(part if is_plain_name(part) else f'"{part}"' for part in parts)


def _shown(node: Node) -> tuple[str, int]:
    """Text and how strongly its outermost operator binds."""
    match node:
        case FieldRef() | Number() | Truth() | NoData():
            return _leaf(node), _ATOM
        case Unary() | Binary() | Comparison() | Logic():
            return _operator(node)
        case BitTest() | Where() | Cast() | Call():
            return _special(node), _ATOM
        case _:
            assert_never(node)


def _leaf(node: Leaf) -> str:
    match node:
        case FieldRef():
            return shown_name(node.name, node.cube)
        case Number(value):
            return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)
        case Truth():
            return "true" if node.value else "false"
        case NoData():
            return "nodata"
        case _:
            assert_never(node)


def _operator(node: Operator) -> tuple[str, int]:
    match node:
        case Unary(op="-"):
            return f"-{_within(node.operand, _MINUS)}", _MINUS
        case Unary():
            return f"not {_within(node.operand, NOT)}", NOT
        case Binary(op="^"):
            return f"{_within(node.left, _ATOM)} ^ {_within(node.right, _MINUS)}", _MINUS + 1
        case Binary() | Comparison() | Logic():
            level = STRENGTH[node.op]
            left = _within(node.left, level + (level == COMPARE))
            return f"{left} {node.op} {_within(node.right, level + 1)}", level
        case _:
            assert_never(node)


def _within(node: Node, least: int) -> str:
    text, level = _shown(node)
    return text if level >= least else f"({text})"


def _special(node: Special) -> str:
    match node:
        case BitTest():
            return f"bit({_shown(node.operand)[0]}, {node.bit})"
        case Where():
            parts = (node.condition, node.yes, node.no)
            return f"where({', '.join(_shown(part)[0] for part in parts)})"
        case Cast():
            return f"{node.dtype}({_shown(node.operand)[0]})"
        case Call():
            return f"{node.name}({', '.join(_shown(part)[0] for part in node.arguments)})"
        case _:
            assert_never(node)
