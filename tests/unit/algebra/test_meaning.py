"""Checks before reading, and values in the cases that random trees meet too seldom."""

import numpy as np
import pytest

from datacube.algebra.check import check, resolve
from datacube.algebra.evaluate import evaluate
from datacube.algebra.needs import needs, references
from datacube.algebra.nodes import FieldRef
from datacube.algebra.show import show
from datacube.algebra.text import parse
from datacube.errors import CoverageNotFound, FieldNotFound, InvalidExpression
from datacube.model.fields import Field, RangeType

BANDS = RangeType(
    (
        Field("B04", "uint16", standard_name="red"), Field("B08", "uint16"),
        Field("long", "int64"), Field("packed", "int16", scale=0.1), Field("mask", "bool"),
    )
)  # fmt: skip
DEM = {"dem": RangeType((Field("height", "float64"),))}


def block(values, valid=None):
    values = np.asarray(values)
    return values, np.ones(values.shape, bool) if valid is None else np.asarray(valid, bool)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("B04", "float32"), ("long", "float64"), ("packed", "float64"), ("mask", "bool"),
        ("B04 * packed", "float64"), ("B04 * 2 * mask", "float32"), ("1", "float64"),
        ("-mask", "float64"), ("-uint8(1)", "float32"), ("nodata", "float64"),
        ("where(mask, nodata, uint8(B04))", "uint8"), ("where(mask, mask, nodata)", "bool"),
        ("where(mask, 1, 0) * B04", "float32"), ("where(mask, uint8(1), int8(1))", "float32"),
        ("int32(1) + B04", "float64"), ("min(mask, mask)", "float64"), ("dem.height", "float64"),
        ("bit(long, 60) xor mask", "bool"), ("min(uint8(1), uint8(2))", "uint8"),
        ("uint8(1) % 2", "float32"), ("abs(int16(1))", "float32"),
    ],
)  # fmt: skip
def test_types(text, dtype):
    tree = parse(text)
    assert check(tree, BANDS, DEM) == dtype
    one = np.ones(2)
    blocks = {
        "B04": block(one.astype("u2")), "long": block(one.astype("i8")), "packed": block(one),
        "mask": block(one.astype(bool)),
    }  # fmt: skip
    values, valid = evaluate(tree, blocks, {FieldRef("height", "dem"): block(one)})
    assert values.dtype == dtype
    assert values.shape == valid.shape == (2,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not B04", "line 1, column 5: 'not' takes a condition, but 'B04' is a number"),
        ("mask and B04 + 1", "line 1, column 14: 'and' takes a condition, but 'B04 \\+ 1' is a"),
        ("mask or nodata", "line 1, column 9: 'or' takes a condition, but 'nodata' is a number"),
        ("bit(mask, 1)", "line 1, column 1: 'mask' is true or false and has no bits"),
    ],
)
def test_numbers_are_no_conditions(text, message):
    with pytest.raises(InvalidExpression, match=message) as refusal:
        check(parse(text), BANDS, subject="EXPR")
    assert refusal.value.subject == "EXPR"


def test_unknown_names():
    with pytest.raises(FieldNotFound, match=r"column 5: no field 'q'; the fields are B04, B08"):
        check(parse("1 + q"), BANDS)
    with pytest.raises(
        FieldNotFound, match=r"no field 'heights'; did you mean height\? The fields"
    ):
        check(parse("dem.heights"), BANDS, DEM)
    with pytest.raises(CoverageNotFound, match="no other cube 'dm'; the cubes are dem"):
        check(parse("dm.height"), BANDS, DEM)
    with pytest.raises(CoverageNotFound, match="no other cube 'dm' here"):
        check(parse("dm.height"), BANDS)
    with pytest.raises(FieldNotFound, match=r"the field dem\.height was not read"):
        evaluate(parse("dem.height"), {"height": block([1.0])})


def test_names_are_resolved_to_their_spelling():
    tree = resolve(parse("(b08 - RED) + red + dem.b04"), RangeType((
        Field("B08", "uint16"), Field("B04", "uint16", standard_name="red"), Field("RED", "int8"),
    )))  # fmt: skip
    assert show(tree) == "B08 - RED + RED + dem.b04"
    assert show(resolve(parse("red"), BANDS)) == "B04"
    assert needs(tree) == {"B08", "RED"}
    assert FieldRef("b04", "dem") in references(tree)


def test_blocks_broadcast():
    blocks = {"t": block(np.arange(24.0).reshape(2, 3, 4))}
    others = {FieldRef("h", "dem"): block(np.arange(4.0), [1, 0, 1, 1])}
    values, valid = evaluate(parse("t * dem.h"), blocks, others)
    np.testing.assert_array_equal(values, np.arange(24.0).reshape(2, 3, 4) * np.arange(4.0))
    np.testing.assert_array_equal(valid, np.broadcast_to([True, False, True, True], (2, 3, 4)))
    values, valid = evaluate(parse("dem.h"), blocks, others)
    assert values.shape == valid.shape == (2, 3, 4)
    with pytest.raises(ValueError, match="shape"):
        evaluate(parse("a + b"), {"a": block([1.0, 2]), "b": block([1.0, 2, 3])})


def test_constants_take_the_blocks_shape():
    values, valid = evaluate(parse("1 / 3 + 1"), {"a": block(np.zeros((2, 2)))})
    assert values.tolist() == [[1 / 3 + 1] * 2] * 2
    assert valid.all()
    values, valid = evaluate(parse("2 ^ 10"), {})
    assert values.shape == valid.shape == ()
    assert values.tolist() == 1024
    assert valid.all()


def test_strides_of_any_kind_and_large_blocks():
    random = np.random.default_rng(7)
    a = random.random((700, 300)).T[::-1]
    b = np.broadcast_to(random.random(700).astype("f4"), (300, 700))
    there = random.random((300, 700)) < 0.5
    values, valid = evaluate(parse("(a - b) / (a + b)"), {"a": (a, there), "b": block(b)})
    np.testing.assert_array_equal(values, (a - b.astype("f8")) / (a + b.astype("f8")))
    np.testing.assert_array_equal(valid, there)


def test_flags_of_64_bits_are_exact():
    flags = np.array([2**63 + 1, 2**53 + 1], "uint64")
    for number, wanted in ((0, [True, True]), (53, [False, True]), (63, [True, False])):
        values, _ = evaluate(parse(f"bit(f, {number})"), {"f": block(flags)})
        assert values.tolist() == wanted
    values, _ = evaluate(parse("bit(f, 15)"), {"f": block(np.array([-32768, 5], "int16"))})
    assert values.tolist() == [True, False]
    values, _ = evaluate(parse("bit(f, 40)"), {"f": block(np.array([-1, 5], "int16"))})
    assert values.tolist() == [True, False]


def test_casts_at_the_edges():
    edges = np.array([-0.9, -1.0, 255.9, 256.0, np.nan, np.inf])
    values, valid = evaluate(parse("uint8(x)"), {"x": block(edges)})
    assert values[valid].tolist() == [0, 255]
    assert valid.tolist() == [True, False, True, False, False, False]
    big = np.array([2**31 - 1, 2**31], "float64")
    assert evaluate(parse("int32(x)"), {"x": block(big)})[1].tolist() == [True, False]
    near = np.array([2.0**31], "float32")
    assert evaluate(parse("int32(x)"), {"x": block(near)})[1].tolist() == [False]
    assert evaluate(parse("float32(x)"), {"x": block([1e39, 1e38])})[1].tolist() == [False, True]


def test_whole_numbers_as_bits_have_a_limit():
    huge = np.array([1e300, 3.7, -1.0])
    values, valid = evaluate(parse("bitand(x, 3)"), {"x": block(huge)})
    assert valid.tolist() == [False, True, True]
    assert values[valid].tolist() == [3.0, 3.0]


def test_infinity_does_not_hide():
    zero = {"x": block([0.0])}
    for text in ("1 / (1 / x)", "(1 / x) ^ 0", "atan(1 / x)", "exp(-1 / x)", "min(1 / x, 3)",
                 "1 / x > 3", "5 % (1 / x)", "where(1 / x > 1, 1, 2)", "sign(1 / x)",
                 "uint8(0 * (1 / x))", "isin(0 / x, 1)", "tanh(1 / x)", "clip(1 / x, 0, 1)",
                 "bitand(1 / x, 1)", "bit(1 / x, 1)", "bool(0 / x)"):  # fmt: skip
        assert not evaluate(parse(text), zero)[1][0], text
    assert evaluate(parse("valid(1 / x)"), zero)[0].tolist() == [False]
    assert evaluate(parse("isnan(0 / x)"), zero)[0].tolist() == [True]


def test_a_condition_given_as_numbers_is_not_zero():
    values, _ = evaluate(parse("where(m, 1, 2)"), {"m": block(np.array([0, 1], "float32"))})
    assert values.tolist() == [2.0, 1.0]


def test_inputs_are_never_written():
    a, b = block(np.array([1.0, 2.0])), block(np.array([3.0, 4.0]))
    for one in (*a, *b):
        one.flags.writeable = False
    evaluate(parse("-(a + b) * a - where(a > 1, a, b) + min(a, b, 1)"), {"a": a, "b": b})
