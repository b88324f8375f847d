"""Trees over blocks of values, to values."""

import math
from collections.abc import Iterator, Mapping
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.algebra.functions import FUNCTIONS, arithmetic, choice, field_kind, result
from datacube.algebra.nodes import (
    Arithmetic,
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
from datacube.algebra.show import shown_name
from datacube.algebra.values import (
    Value,
    apply,
    bit,
    both,
    cast,
    chosen,
    converted,
    settled,
    test,
    truth,
    whole,
)
from datacube.errors import FieldNotFound

type Operand = tuple[NDArray[np.generic], NDArray[np.bool_]]
type Given = dict[FieldRef, Operand]

PIECE = 1 << 16  # cells that are computed at once, so that buffers stay in the processor's cache

_ARITHMETIC: dict[Arithmetic, np.ufunc] = {
    "+": np.add, "-": np.subtract, "*": np.multiply,
    "/": np.true_divide, "%": np.remainder, "^": np.power,
}  # fmt: skip
_RELATIONS = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
_CONNECTIVES = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}


def evaluate(
    tree: Node,
    blocks: Mapping[str, Operand],
    others: Mapping[FieldRef, Operand] | None = None,
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """The values of a tree, cell by cell.

    Parameters
    ----------
    tree : Node
        One that :func:`datacube.algebra.check.check` accepts.
    blocks : field name -> (values, valid)
        Physical values (float32, float64, integers, bool) and where they are data, of shapes that
        broadcast. Integers that are not scaled may come as they are stored.
    others : FieldRef -> (values, valid), optional
        The same for fields of other cubes, on the same cells.

    Returns
    -------
    values : the dtype that check tells, the blocks' common shape
        What stands where valid is False means nothing.
    valid : bool, same shape
        Both are read-only to the caller where the tree is nothing but a field: they are its own.

    Raises
    ------
    FieldNotFound
        A field has no block.
    ValueError
        The blocks' shapes do not broadcast.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> red, nir = np.array([1, 0, 2], "uint16"), np.array([3, 0, 9], "uint16")
    >>> there = np.array([True, True, False])
    >>> values, valid = evaluate(parse("(B8 - B4) / (B8 + B4)"),
    ...     {"B4": (red, there), "B8": (nir, there)})
    >>> values[valid].tolist(), valid.tolist(), values.dtype.name
    ([0.5], [True, False, False], 'float32')
    """
    given: Given = {FieldRef(name): block for name, block in blocks.items()} | dict(others or {})
    shapes = {one.shape for block in given.values() for one in block}
    shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    with np.errstate(all="ignore"):
        if math.prod(shape) <= PIECE:
            return _Evaluation(given, shape, ()).whole(tree)
        return _by_pieces(tree, given, shape)


def _by_pieces(
    tree: Node, given: Given, shape: tuple[int, ...]
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    pieces = _pieces(shape)
    index = next(pieces)
    first, there = _Evaluation(given, shape, index).whole(tree)
    values, valid = np.empty(shape, first.dtype), np.empty(shape, bool)
    values[index], valid[index] = first, there
    for index in pieces:
        values[index], valid[index] = _Evaluation(given, shape, index).whole(tree)
    return values, valid


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Indexes that cut an array into pieces of at most PIECE cells."""
    if math.prod(shape) <= PIECE:
        yield ()
        return
    row = math.prod(shape[1:])
    if row <= PIECE:
        count = PIECE // row
        yield from ((slice(start, start + count),) for start in range(0, shape[0], count))
        return
    for place in range(shape[0]):
        yield from ((place, *rest) for rest in _pieces(shape[1:]))


class _Evaluation:
    """One walk of a tree over one piece of the blocks."""

    def __init__(
        self, given: Given, shape: tuple[int, ...], index: tuple[int | slice, ...]
    ) -> None:
        self.given = given
        self.shape = shape
        self.index = index
        self.fields: dict[FieldRef, Value] = {}

    def whole(self, tree: Node) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Values and valid of the piece's full shape."""
        found = settled(self.value(tree))
        shape = self.shape
        if self.index:
            shape = np.broadcast_to(np.True_, shape)[self.index].shape
        values, valid = np.asarray(found.values), np.asarray(found.valid)
        return (
            values if values.shape == shape else np.full(shape, values),
            valid if valid.shape == shape else np.full(shape, valid),
        )

    def block(self, ref: FieldRef) -> Operand:
        """The piece of a field's block, as it was given."""
        found = self.given.get(ref)
        if found is None:
            raise FieldNotFound(
                f"the field {shown_name(ref.name, ref.cube)} was not read", subject=ref.name
            )
        values, valid = found
        if not values.shape == valid.shape == self.shape:
            values, valid = np.broadcast_to(values, self.shape), np.broadcast_to(valid, self.shape)
        return (values[self.index], valid[self.index]) if self.index else (values, valid)

    def value(self, node: Node) -> Value:
        match node:
            case FieldRef() | Number() | Truth() | NoData():
                return self.leaf(node)
            case Unary() | Binary() | Comparison() | Logic():
                return self.operator(node)
            case BitTest() | Where() | Cast() | Call():
                return self.special(node)
            case _:
                assert_never(node)

    def leaf(self, node: Leaf) -> Value:
        match node:
            case FieldRef():
                return self.field(node)
            case Number(value):
                return Value(np.float64(value), np.True_, "number", settled=True)
            case Truth():
                return Value(np.bool_(node.value), np.True_, "bool", settled=True)
            case NoData():
                return Value(np.float64(0), np.False_, "nothing", settled=True)
            case _:
                assert_never(node)

    def field(self, ref: FieldRef) -> Value:
        if (known := self.fields.get(ref)) is not None:
            return known
        values, valid = self.block(ref)
        kind, whole_numbers = field_kind(values.dtype), values.dtype.kind != "f"
        found = converted(Value(values, valid, kind, settled=whole_numbers), kind)
        self.fields[ref] = found._replace(own=False)
        return self.fields[ref]

    def operator(self, node: Operator) -> Value:
        match node:
            case Unary(op="-"):
                operand = self.value(node.operand)
                return apply(np.negative, arithmetic(operand.kind), operand)
            case Unary():
                operand = truth(self.value(node.operand))
                return Value(np.logical_not(operand.values), operand.valid, "bool", own=True)
            case Binary():
                return self.binary(node)
            case Comparison():
                left, right = self.value(node.left), self.value(node.right)
                kind = arithmetic(left.kind, right.kind)
                return test(_RELATIONS[node.op], kind, left, right)
            case Logic():
                left, right = truth(self.value(node.left)), truth(self.value(node.right))
                return apply(_CONNECTIVES[node.op], "bool", left, right)
            case _:
                assert_never(node)

    def binary(self, node: Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        kind = arithmetic(left.kind, right.kind)
        if node.op in {"/", "%", "^"}:  # a finite number over an infinite one is finite
            right = settled(converted(right, kind))
        if node.op == "^":
            left = settled(converted(left, kind))
        return apply(_ARITHMETIC[node.op], kind, left, right)

    def special(self, node: Special) -> Value:
        match node:
            case Where():
                condition = self.value(node.condition)
                yes, no = self.value(node.yes), self.value(node.no)
                return chosen(condition, yes, no, choice(yes.kind, no.kind))
            case Cast():
                return cast(self.value(node.operand), node.dtype)
            case BitTest():
                return self.bit_test(node)
            case Call():
                return self.call(node)
            case _:
                assert_never(node)

    def bit_test(self, node: BitTest) -> Value:
        if isinstance(node.operand, FieldRef):  # all bits of 64-bit flags are only in the block
            values, valid = self.block(node.operand)
            if values.dtype.kind in "iu":
                return Value(bit(values, node.bit), valid, "bool", own=True)
        operand = whole(self.value(node.operand))
        return Value(bit(operand.values, node.bit), operand.valid, "bool", own=True)

    def call(self, node: Call) -> Value:
        function = FUNCTIONS[node.name]
        operands = [self.value(one) for one in node.arguments]
        kind = result(function.rule, tuple(one.kind for one in operands))
        if function.hides:
            work = arithmetic(*(one.kind for one in operands)) if kind == "bool" else kind
            operands = [settled(converted(one, work)) for one in operands]
        if function.ufunc is None:
            return _COMPUTED[node.name](operands)
        if function.most == 1:
            return apply(function.ufunc, kind, operands[0])
        found = operands[0]
        for one in operands[1:]:
            found = apply(function.ufunc, kind, found, one)
        return found


def _clip(operands: list[Value]) -> Value:
    value, low, high = operands
    return apply(np.minimum, value.kind, apply(np.maximum, value.kind, value, low), high)


def _bitand(operands: list[Value]) -> Value:
    left, right = (whole(one) for one in operands)
    kind = operands[0].kind
    values = np.bitwise_and(left.values, right.values)
    return converted(Value(values, both(left.valid, right.valid), kind, own=True), kind)


def _isin(operands: list[Value]) -> Value:
    value, *others = operands
    kind = value.kind
    found = test(np.equal, kind, value, others[0])
    for other in others[1:]:
        found = apply(np.logical_or, "bool", found, test(np.equal, kind, value, other))
    return found


def _valid(operands: list[Value]) -> Value:
    return Value(operands[0].valid, np.True_, "bool", settled=True)


def _isnan(operands: list[Value]) -> Value:
    return Value(np.logical_not(operands[0].valid), np.True_, "bool", own=True)


_COMPUTED = {
    "clip": _clip, "bitand": _bitand, "isin": _isin, "valid": _valid, "isnan": _isnan,
}  # fmt: skip
