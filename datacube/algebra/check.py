"""Whether a tree makes sense for a cube, and the type of its values, before any read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NoReturn, assert_never

import numpy as np

from datacube.algebra.functions import (
    FUNCTIONS,
    Kind,
    arithmetic,
    choice,
    dtype_of,
    field_kind,
    result,
)
from datacube.algebra.needs import references
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
    bounded,
    substitute,
)
from datacube.algebra.show import show, shown_name
from datacube.errors import CoverageNotFound, FieldNotFound, InvalidExpression
from datacube.model.fields import Field, RangeType

type Others = Mapping[str, RangeType]


def check(
    tree: Node, range_type: RangeType, others: Others | None = None, *, subject: str | None = None
) -> np.dtype[np.generic]:
    """The dtype of a tree's values; refuses a tree that cannot be evaluated.

    Parameters
    ----------
    tree : Node
    range_type : RangeType
        Fields of the asked cube.
    others : cube -> RangeType, optional
        Fields of the other cubes that may be named.
    subject : str, optional
        What the user calls the expression, for errors.

    Raises
    ------
    FieldNotFound, CoverageNotFound
        A name that does not exist; the message lists those that do.
    InvalidExpression
        A number where a condition must stand or the reverse, or a tree that is too large.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> bands = RangeType((Field("B04", "uint16"), Field("B08", "uint16")))
    >>> check(parse("(B08 - B04) / (B08 + B04)"), bands)
    dtype('float32')
    >>> check(parse("B8 > 0"), bands)
    Traceback (most recent call last):
    datacube.errors.FieldNotFound: line 1, column 1: no field 'B8'; did you mean B08? The fields \
are B04, B08
    """
    scope = _Scope(range_type, others or {}, subject)
    return dtype_of(scope.kind(bounded(tree, subject=subject)))


def resolve(tree: Node, range_type: RangeType) -> Node:
    """The tree with the asked cube's fields in their declared spelling.

    Raises
    ------
    FieldNotFound
        A name that is no field.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> resolve(parse("b08 / 2"), RangeType((Field("B08", "uint16"),))).left
    FieldRef(name='B08', cube=None)
    """
    scope = _Scope(range_type, {}, None)
    own = (one for one in references(tree) if one.cube is None)
    return substitute(tree, {one.name: replace(one, name=scope.field(one).name) for one in own})


@dataclass(frozen=True, slots=True)
class _Scope:
    """The names that a tree may use."""

    range_type: RangeType
    others: Others
    subject: str | None

    def field(self, ref: FieldRef) -> Field:
        range_type = self.range_type if ref.cube is None else self.cube(ref, ref.cube)
        try:
            return range_type.field(ref.name)
        except FieldNotFound:
            near = get_close_matches(ref.name, range_type.names, n=1)
            hint = f"did you mean {shown_name(near[0])}? " if near else self.quoted(ref.name)
            raise FieldNotFound(
                f"{_place(ref)}no field '{ref.name}'; {hint}"
                f"{'T' if hint else 't'}he fields are {', '.join(range_type.names)}",
                subject=self.subject or ref.name,
            ) from None

    def cube(self, ref: FieldRef, cube: str) -> RangeType:
        if cube not in self.others:
            hint = self.quoted(cube)
            listed = f"{'T' if hint else 't'}he cubes are {', '.join(self.others)}"
            known = f"; {hint}{listed}" if self.others else " here"
            raise CoverageNotFound(
                f"{_place(ref)}no other cube '{cube}'{known}", subject=self.subject or cube
            )
        return self.others[cube]

    def quoted(self, part: str) -> str:
        """The cube whose name without quotes is read as a subtraction of its parts."""
        ends = f"{part}-", f"-{part}"
        found = [cube for cube in self.others if cube.startswith(ends[0]) or cube.endswith(ends[1])]
        return f'did you mean "{found[0]}", in quotes for its hyphen? ' if found else ""

    def fail(self, node: Node, message: str) -> NoReturn:
        raise InvalidExpression(f"{_place(node)}{message}", subject=self.subject)

    def kind(self, node: Node) -> Kind:
        match node:
            case FieldRef() | Number() | Truth() | NoData():
                return self.leaf(node)
            case Unary() | Binary() | Comparison() | Logic():
                return self.operator(node)
            case BitTest() | Where() | Cast() | Call():
                return self.special(node)
            case _:
                assert_never(node)

    def leaf(self, node: Leaf) -> Kind:
        match node:
            case FieldRef():
                one = self.field(node)
                stored = np.dtype(one.dtype)
                return "bool" if stored.kind == "b" and not one.packed else _physical(one)
            case Truth():
                return "bool"
            case Number():
                return "number"
            case NoData():
                return "nothing"
            case _:
                assert_never(node)

    def operator(self, node: Operator) -> Kind:
        match node:
            case Unary(op="-"):
                return arithmetic(self.kind(node.operand))
            case Unary():
                return self.condition(node.operand, "not")
            case Binary():
                return arithmetic(self.kind(node.left), self.kind(node.right))
            case Comparison():
                self.kind(node.left), self.kind(node.right)
                return "bool"
            case Logic():
                self.condition(node.left, node.op)
                return self.condition(node.right, node.op)
            case _:
                assert_never(node)

    def special(self, node: Special) -> Kind:
        match node:
            case Where():
                self.condition(node.condition, "where")
                return choice(self.kind(node.yes), self.kind(node.no))
            case Cast():
                self.kind(node.operand)
                return node.dtype
            case BitTest():
                if self.kind(node.operand) == "bool":
                    self.fail(node, f"{_quoted(node.operand)} is true or false and has no bits")
                return "bool"
            case Call():
                return result(
                    FUNCTIONS[node.name].rule, tuple(self.kind(one) for one in node.arguments)
                )
            case _:
                assert_never(node)

    def condition(self, node: Node, of: str) -> Kind:
        if (kind := self.kind(node)) != "bool":
            self.fail(
                node,
                f"'{of}' takes a condition, but {_quoted(node)} is a number; a comparison such as "
                f"{_quoted(Comparison('!=', node, Number(0)))} would be one",
            )
        return kind


def _physical(one: Field) -> Kind:
    return field_kind(one.physical_dtype)


def _quoted(node: Node) -> str:
    text = show(node)
    return f"'{text if len(text) <= 60 else text[:59] + '…'}'"


def _place(node: Node) -> str:
    return f"{node.at}: " if node.at else ""
