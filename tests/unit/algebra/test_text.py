"""What the text grammar reads, by value, and what it says of the rest."""

import pytest

from datacube.algebra.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Binary,
    BitTest,
    Call,
    Cast,
    Comparison,
    FieldRef,
    Logic,
    NoData,
    Node,
    Number,
    Position,
    Truth,
    Unary,
    Where,
    bounded,
    children,
    substitute,
)
from datacube.algebra.show import show
from datacube.algebra.text import MAX_LENGTH, parse
from datacube.errors import InvalidExpression

STRANGE = (
    " cannot stand here; expected a number, a field, a function or an operator (a name with other "
    "characters stands in double quotes)"
)
A, B, C = FieldRef("a"), FieldRef("b"), FieldRef("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("1.5e-3", Number(0.0015)),
        (".5", Number(0.5)),
        ("5.", Number(5)),
        ("a - b - c", Binary("-", Binary("-", A, B), C)),
        ("a - b * c", Binary("-", A, Binary("*", B, C))),
        ("a ^ b ^ c", Binary("^", A, Binary("^", B, C))),
        ("-a ^ -b", Unary("-", Binary("^", A, Unary("-", B)))),
        ("a * -b", Binary("*", A, Unary("-", B))),
        ("- -a", Unary("-", Unary("-", A))),
        ("+a", A),
        ("a or b and c", Logic("or", A, Logic("and", B, C))),
        ("a XOR b or c", Logic("or", Logic("xor", A, B), C)),
        ("not a == b", Unary("not", Comparison("==", A, B))),
        ("not a and !b", Logic("and", Unary("not", A), Unary("not", B))),
        ("! ! a", Unary("not", Unary("not", A))),
        ("a ? b : c", Where(A, B, C)),
        ("a ? b : c ? a : b", Where(A, B, Where(C, A, B))),
        ("a ? b ? a : b : c", Where(A, Where(B, A, B), C)),
        ("a > b ? 1 : 2", Where(Comparison(">", A, B), Number(1), Number(2))),
        ("IF(a, b, c)", Where(A, B, C)),
        ("pow(a, b)", Binary("^", A, B)),
        ("mod(a, b)", Binary("%", A, B)),
        ("a**b", Binary("^", A, B)),
        ("ln(a)", Call("log", (A,))),
        ("min(a, b, c)", Call("min", (A, B, C))),
        ("bit(a, 13)", BitTest(A, 13)),
        ("Float32(a)", Cast("float32", A)),
        ("TRUE", Truth(value=True)),
        ("nodata", NoData()),
        ('"nodata"', FieldRef("nodata")),
        ('"min"', FieldRef("min")),
        ("min + max", Binary("+", FieldRef("min"), FieldRef("max"))),
        ("where", FieldRef("where")),
        ("dem.height", FieldRef("height", "dem")),
        ('"a:b"."c d"', FieldRef("c d", "a:b")),
        ("dem . true", FieldRef("true", "dem")),
        ("(a)\n+\t(\r\nb)", Binary("+", A, B)),
        ("((((((((((a))))))))))", A),
    ],
)
def test_reads(text, tree):
    assert parse(text) == tree
    assert parse(show(tree)) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected a number, a field, a function or '(', found the end"),
        ("a +\n  * b",
         "line 2, column 3: expected a number, a field, a function or '(', found '*'"),
        ("a $ b", "line 1, column 3: '$'" + STRANGE),
        ('a + "b', "line 1, column 5: a quoted name is not closed; expected '\"'"),
        ('""', "line 1, column 1: a name is not empty and has printable characters only"),
        ('"a\nb"', "line 1, column 1: a name is not empty and has printable characters only"),
        ("1e999", "line 1, column 1: '1e999' is too large a number"),
        ("10m", "line 1, column 3: expected an operator or the end, found 'm'"),
        ("a)", "line 1, column 2: expected an operator or the end, found ')'"),
        ("a ? b", "line 1, column 6: expected ':' and the other value, found the end"),
        ("a.1", "line 1, column 2: expected an operator or the end, found '.1'"),
        ("a.+", "line 1, column 3: expected the name of a field of 'a'"),
        ("abs()", "line 1, column 1: abs(x) takes 1 argument, not 0"),
        ("min(a)", "line 1, column 1: min(x, y, …) takes 2 or more arguments, not 1"),
        ("where(a, b)", "line 1, column 1: where(condition, yes, no) takes 3 arguments, not 2"),
        ("uint8(a, b)", "line 1, column 1: uint8(x) takes 1 argument, not 2"),
        ("min(a b)", "line 1, column 7: expected an operator, ',' or ')', found 'b'"),
        ("abs(", "line 1, column 5: expected a number, a field, a function or '(', found the end"),
        ("min(a,)",
         "line 1, column 7: expected a number, a field, a function or '(', found ')'"),
        ("bit(a, b)", "line 1, column 8: expected the number of a bit, 0 to 63"),
        ("bit(a, 1.5)", "line 1, column 8: expected the number of a bit, 0 to 63"),
        ("1 + not a", "line 1, column 5: 'not' after an operator stands in brackets: (not …)"),
        ("a <> b", "line 1, column 3: '<>' is no operator; did you mean '!='?"),
        ("a & b", "line 1, column 3: '&' is no operator; did you mean 'and', or bitand(x, mask)?"),
        ("__import__('os')", "line 1, column 12: '''" + STRANGE),
        ("\x00", "line 1, column 1: 'U+0000'" + STRANGE),
    ],
)  # fmt: skip
def test_refuses(text, message):
    with pytest.raises(InvalidExpression) as refusal:
        parse(text, subject="EXPR")
    assert refusal.value.message == message
    assert refusal.value.subject == "EXPR"


def test_an_unknown_function_lists_those_that_are():
    with pytest.raises(
        InvalidExpression, match=r"there is no function 'zzz'; the functions are .*sqrt"
    ):
        parse("zzz(a)")


def test_places_are_kept_but_do_not_count():
    tree = parse("a +\n b")
    assert isinstance(tree, Binary)
    assert (tree.at, tree.right.at) == (Position(1, 3), Position(2, 2))
    assert tree == Binary("+", A, B)
    assert hash(tree) == hash(Binary("+", A, B))


def test_sizes_are_limited():
    parse("+" * (MAX_LENGTH - 1) + "1")
    with pytest.raises(InvalidExpression, match="2001 characters; at most 2000"):
        parse(" " * 2000 + "a")
    parse(f"min({','.join(['a'] * (MAX_NODES - 1))})")
    with pytest.raises(InvalidExpression, match=r"column .*: the expression .* at most 200 parts"):
        parse(f"min({','.join(['a'] * MAX_NODES)})")
    parse("-" * (MAX_DEPTH - 1) + "a")
    with pytest.raises(InvalidExpression, match="at most 50 levels deep"):
        parse("-" * MAX_DEPTH + "a")
    with pytest.raises(InvalidExpression, match="nested too deep; at most 50 levels"):
        parse("(" * 500 + "a" + ")" * 500)


def test_trees_made_by_hand_are_limited():
    tree: Node = A
    for _ in range(5000):
        tree = Binary("+", tree, tree)  # 2 ** 5000 nodes, were they walked
    with pytest.raises(InvalidExpression, match="too large"):
        bounded(tree)
    with pytest.raises(InvalidExpression, match="too large"):
        substitute(parse("+".join(["x"] * 40)), {"x": parse("+".join(["y"] * 9))})


def test_substitutes_everywhere_but_in_other_cubes():
    tree = parse("where(x > 0 and not bit(x, 1), float32(-x), min(x, dem.x))")
    assert show(substitute(tree, {"x": parse("a + b"), "unused": C})) == (
        "where(a + b > 0 and not bit(a + b, 1), float32(-(a + b)), min(a + b, dem.x))"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Number(-1), lambda: Number(-0.0), lambda: Number(float("nan")),
        lambda: Number(float("inf")), lambda: FieldRef(""), lambda: FieldRef('a"b'),
        lambda: FieldRef("a", "\n"), lambda: BitTest(A, 64), lambda: BitTest(A, -1),
        lambda: Call("sqr", (A,)), lambda: Call("sqrt", (A, B)), lambda: Call("min", (A,)),
    ],
)  # fmt: skip
def test_nodes_that_cannot_be(make):
    with pytest.raises(ValueError, match=r"."):
        make()


def test_children_are_in_order():
    assert children(parse("where(a, b, c)")) == (A, B, C)
    assert children(parse("not a")) == (A,)
    assert children(A) == ()
