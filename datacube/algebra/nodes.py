"""The nodes of an expression tree: frozen values, handled with match.

A tree says what to compute from the fields of a cube, cell by cell. Where a node came from text,
``at`` is its place there, for messages; places take no part in equality or hashing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, assert_never, override

from datacube.algebra.functions import FUNCTIONS, Target
from datacube.errors import InvalidExpression

type Arithmetic = Literal["+", "-", "*", "/", "%", "^"]
type Relation = Literal["<", "<=", ">", ">=", "==", "!="]
type Connective = Literal["and", "or", "xor"]

MAX_NODES = 200
MAX_DEPTH = 50
MAX_BIT = 63


class Position(NamedTuple):
    """A place in a text, counted from 1 in characters."""

    line: int
    column: int

    @override
    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class _Placed:
    at: Position | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class FieldRef(_Placed):
    """The physical values of a field.

    Parameters
    ----------
    name : str
        Printable, without a double quote.
    cube : str, optional
        Another cube; None is the cube that is asked.

    Examples
    --------
    >>> FieldRef("B04"), FieldRef("height", cube="dem").cube
    (FieldRef(name='B04', cube=None), 'dem')
    """

    name: str
    cube: str | None = None

    def __post_init__(self) -> None:
        for part in (self.name,) if self.cube is None else (self.cube, self.name):
            if not part or '"' in part or not part.isprintable():
                raise ValueError(f"not a name: {part!a}")


@dataclass(frozen=True, slots=True)
class Number(_Placed):
    """A finite number, not negative: a minus is a :class:`Unary`."""

    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))
        if not math.isfinite(self.value) or math.copysign(1.0, self.value) < 0:
            raise ValueError(f"a number is finite and not negative, not {self.value}")


@dataclass(frozen=True, slots=True)
class Truth(_Placed):
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class NoData(_Placed):
    """The value that is never valid."""


@dataclass(frozen=True, slots=True)
class Unary(_Placed):
    """Minus a number, or the contrary of a condition."""

    op: Literal["-", "not"]
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary(_Placed):
    """Arithmetic on two numbers."""

    op: Arithmetic
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Comparison(_Placed):
    """Two numbers compared; a condition."""

    op: Relation
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Logic(_Placed):
    """Two conditions joined."""

    op: Connective
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class BitTest(_Placed):
    """Whether a bit of a whole number is set; bit 0 is the lowest."""

    operand: "Node"
    bit: int

    def __post_init__(self) -> None:
        if not 0 <= self.bit <= MAX_BIT:
            raise ValueError(f"bits are numbered 0 to {MAX_BIT}, not {self.bit}")


@dataclass(frozen=True, slots=True)
class Where(_Placed):
    """One of two values, by a condition."""

    condition: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Cast(_Placed):
    """A value as another type."""

    dtype: Target
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Call(_Placed):
    """A function of the table in :mod:`datacube.algebra.functions`."""

    name: str
    arguments: tuple["Node", ...]

    def __post_init__(self) -> None:
        function = FUNCTIONS.get(self.name)
        if function is None:
            raise ValueError(f"no function '{self.name}'")
        if not function.takes(len(self.arguments)):
            raise ValueError(f"{function.signature}, not with {len(self.arguments)} arguments")


type Leaf = FieldRef | Number | Truth | NoData
type Operator = Unary | Binary | Comparison | Logic
type Special = BitTest | Where | Cast | Call
type Node = Leaf | Operator | Special


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, left to right.

    Examples
    --------
    >>> children(Binary("+", FieldRef("a"), Number(1)))
    (FieldRef(name='a', cube=None), Number(value=1.0))
    """
    match node:
        case FieldRef() | Number() | Truth() | NoData():
            return ()
        case Unary() | Cast() | BitTest():
            return (node.operand,)
        case Binary() | Comparison() | Logic():
            return node.left, node.right
        case Where():
            return node.condition, node.yes, node.no
        case Call():
            return node.arguments
        case _:
            assert_never(node)


def walk(tree: Node) -> Iterator[tuple[Node, int]]:
    """All nodes with their depth (the root's is 1), without recursion."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in reversed(children(node)))


def bounded(tree: Node, *, subject: str | None = None) -> Node:
    """The tree itself, if it is not too large to be handled.

    Raises
    ------
    InvalidExpression
        It has more than MAX_NODES nodes, or is deeper than MAX_DEPTH.
    """
    for count, (node, depth) in enumerate(walk(tree), start=1):
        if count > MAX_NODES or depth > MAX_DEPTH:
            place = f"{node.at}: " if node.at else ""
            limit = f"{MAX_NODES} parts" if count > MAX_NODES else f"{MAX_DEPTH} levels deep"
            raise InvalidExpression(
                f"{place}the expression is too large; at most {limit} are allowed", subject=subject
            )
    return tree


def substitute(tree: Node, values: Mapping[str, Node]) -> Node:
    """The tree with fields of this cube replaced by other trees.

    Parameters
    ----------
    tree : Node
    values : field name -> Node
        Names that are not in the tree are ignored; what is put in is not searched again.

    Raises
    ------
    InvalidExpression
        The new tree is too large.

    Examples
    --------
    >>> substitute(Binary("-", FieldRef("N"), Number(1)), {"N": FieldRef("B08")})
    Binary(op='-', left=FieldRef(name='B08', cube=None), right=Number(value=1.0))
    """
    return bounded(_replaced(bounded(tree), values))


def _replaced(node: Node, values: Mapping[str, Node]) -> Node:
    match node:
        case FieldRef():
            return values.get(node.name, node) if node.cube is None else node
        case Number() | Truth() | NoData():
            return node
        case Unary() | Cast() | BitTest():
            return replace(node, operand=_replaced(node.operand, values))
        case Binary() | Comparison() | Logic():
            left, right = _replaced(node.left, values), _replaced(node.right, values)
            return replace(node, left=left, right=right)
        case Where() | Call():
            parts = tuple(_replaced(child, values) for child in children(node))
            return _with_parts(node, parts)
        case _:
            assert_never(node)


def _with_parts(node: Where | Call, parts: tuple[Node, ...]) -> Node:
    if isinstance(node, Call):
        return replace(node, arguments=parts)
    condition, yes, no = parts
    return replace(node, condition=condition, yes=yes, no=no)
