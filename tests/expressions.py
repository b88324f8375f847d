"""Random expression trees, random blocks for them, and their values by plain numpy."""

import numpy as np
from hypothesis import strategies as st

from datacube.algebra.functions import FUNCTIONS, TARGETS, arithmetic, dtype_of, result
from datacube.algebra.nodes import (
    Binary,
    BitTest,
    Call,
    Cast,
    Comparison,
    FieldRef,
    Logic,
    NoData,
    Number,
    Truth,
    Unary,
    Where,
    walk,
)
from datacube.model.fields import Field, RangeType

FIELDS = RangeType(
    (
        Field("red", "uint16"), Field("nir", "float32"), Field("sst", "int16", scale=0.5),
        Field("flags", "int32"), Field("sea-ice", "float64"), Field("land", "bool"),
    )
)  # fmt: skip
NUMERIC = ("red", "nir", "sst", "flags", "sea-ice")

numbers = st.one_of(
    st.sampled_from((0.0, 1.0, 2.0, 0.5, 255.0, 1e30, 1e-30, 1e300)),
    st.floats(0, allow_nan=False, allow_infinity=False).filter(lambda x: not np.signbit(x)),
).map(Number)
number_functions = [
    (name, one.least) for name, one in FUNCTIONS.items() if one.rule in {"number", "choice"}
]


def trees(names=None, conditions=None):
    """Conditions and numbers of any form; over FIELDS, or over other names."""
    names = st.sampled_from(NUMERIC) if names is None else names
    conditions = st.just("land") if conditions is None else conditions
    leaf_number = st.one_of(names.map(FieldRef), numbers, st.just(NoData()))
    leaf_truth = st.one_of(conditions.map(FieldRef), st.booleans().map(Truth))

    def grown(inner):
        number, truth = inner
        more = st.one_of(
            number,
            st.builds(Unary, st.just("-"), number),
            st.builds(Binary, st.sampled_from("+-*/%^"), number, number),
            st.builds(Where, truth, number, number),
            st.builds(Cast, st.sampled_from([one for one in TARGETS if one != "bool"]), number),
            st.sampled_from(number_functions).flatmap(
                lambda one: st.builds(Call, st.just(one[0]), st.tuples(*[number] * one[1]))
            ),
        )
        tests = st.one_of(
            truth,
            st.builds(Unary, st.just("not"), truth),
            st.builds(
                Comparison, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), number, number
            ),
            st.builds(Logic, st.sampled_from(("and", "or", "xor")), truth, truth),
            st.builds(Where, truth, truth, truth),
            st.builds(BitTest, number, st.integers(0, 40)),
            st.builds(Cast, st.just("bool"), number),
            st.builds(Call, st.sampled_from(("valid", "isnan")), st.tuples(number)),
            st.builds(Call, st.just("isin"), st.tuples(number, number, number)),
        )
        return more, tests

    both = (leaf_number, leaf_truth)
    for _ in range(4):
        both = grown(both)
    return st.one_of(*both)


any_name = st.text(min_size=1, max_size=8).filter(lambda one: one.isprintable() and '"' not in one)


def size(tree):
    return sum(1 for _ in walk(tree))


def plainly(node, blocks):
    """Values, validity and kind: every step checked, nothing shared, nothing reused."""
    return PLAIN[type(node)](node, blocks)


def plain_field(node, blocks):
    values, valid = blocks[node.name]
    kind = "float32" if values.dtype in ("u2", "f4") else "float64"
    kind = "bool" if values.dtype == bool else kind
    return finite(values.astype(kind), valid, kind)


def plain_bit(node, blocks):
    if isinstance(node.operand, FieldRef) and blocks[node.operand.name][0].dtype.kind in "iu":
        values, valid = blocks[node.operand.name]
        return (values.astype("i8") >> node.bit) % 2 == 1, valid, "bool"
    values, valid, _ = plainly(node.operand, blocks)
    whole, fits = as_whole(values)
    return (whole >> node.bit) % 2 == 1, valid & fits, "bool"


def plain_unary(node, blocks):
    operand = plainly(node.operand, blocks)
    if node.op == "-":
        return plain_ufunc(np.negative, operand)
    return np.logical_not(operand[0]), operand[1], "bool"


def plain_binary(node, blocks):
    return plain_ufunc(UFUNCS[node.op], plainly(node.left, blocks), plainly(node.right, blocks))


def plain_comparison(node, blocks):
    return plain_test(UFUNCS[node.op], plainly(node.left, blocks), plainly(node.right, blocks))


def plain_logic(node, blocks):
    (a, there, _), (b, here, _) = plainly(node.left, blocks), plainly(node.right, blocks)
    return UFUNCS[node.op](a, b), there & here, "bool"


def plain_where(node, blocks):
    yes, no = plainly(node.yes, blocks), plainly(node.no, blocks)
    kinds = {yes[2], no[2]} - {"nothing"}
    kind = kinds.pop() if len(kinds) == 1 else arithmetic(yes[2], no[2])
    (a, there, _), (b, here, _) = same(kind, yes, no)
    truth, known, _ = plainly(node.condition, blocks)
    return np.where(truth, a, b), known & np.where(truth, there, here), kind


def plain_cast(node, blocks):
    values, valid, _ = plainly(node.operand, blocks)
    if node.dtype == "bool":
        return values != 0, valid, "bool"
    if node.dtype.startswith("float"):
        return finite(values.astype(node.dtype), valid, node.dtype)
    whole = np.trunc(np.where(valid, values, 0).astype("f8"))
    limits = np.iinfo(node.dtype)
    fits = (whole >= limits.min) & (whole <= limits.max)
    return np.where(fits, whole, 0).astype(node.dtype), valid & fits, node.dtype


def plain_call(node, blocks):
    operands = [plainly(one, blocks) for one in node.arguments]
    kinds = tuple(one[2] for one in operands)
    kind = result(FUNCTIONS[node.name].rule, kinds)
    match node.name:
        case "valid" | "isnan":
            return np.equal(operands[0][1], node.name == "valid"), True, "bool"
        case "isin":
            work = arithmetic(*kinds)
            tests = [plain_test(np.equal, operands[0], one, work) for one in operands[1:]]
            values = np.logical_or.reduce(np.broadcast_arrays(*(one[0] for one in tests)))
            return values, np.logical_and.reduce(
                np.broadcast_arrays(*(one[1] for one in tests))
            ), "bool"  # fmt: skip
        case "clip":
            raised = plain_ufunc(np.maximum, *operands[:2], kind=kind)
            return plain_ufunc(np.minimum, raised, operands[2], kind=kind)
        case "bitand":
            (a, there, _), (b, here, _) = same(kind, *operands)
            (a, fit), (b, fits) = as_whole(a), as_whole(b)
            return (a & b).astype(dtype_of(kind)), there & here & fit & fits, kind
        case _:
            return plain_ufunc(FUNCTIONS[node.name].ufunc, *operands, kind=kind)


def as_whole(values):
    fits = np.abs(values.astype("f8")) < 2.0**63
    return np.where(fits, values, 0).astype("i8"), fits


def finite(values, valid, kind):
    return values, np.isfinite(values) & valid, kind


def same(kind, *operands):
    """The operands in one dtype, what overflows in it not valid."""
    return [finite(values.astype(dtype_of(kind)), valid, kind) for values, valid, _ in operands]


def plain_ufunc(ufunc, *operands, kind=None):
    kind = kind or arithmetic(*(one[2] for one in operands))
    inputs = same(kind, *operands)
    valid = inputs[0][1]
    for one in inputs[1:]:
        valid = valid & one[1]
    return finite(ufunc(*(one[0] for one in inputs)), valid, kind)


def plain_test(ufunc, left, right, kind=None):
    left, right = same(kind or arithmetic(left[2], right[2]), left, right)
    return ufunc(left[0], right[0]), left[1] & right[1], "bool"


UFUNCS = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.remainder,
    "^": np.power, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "==": np.equal, "!=": np.not_equal, "and": np.logical_and, "or": np.logical_or,
    "xor": np.logical_xor,
}  # fmt: skip
PLAIN = {
    FieldRef: plain_field,
    Number: lambda node, _: (np.float64(node.value), True, "number"),
    Truth: lambda node, _: (np.bool_(node.value), True, "bool"),
    NoData: lambda *_: (np.float64(0), False, "nothing"),
    Unary: plain_unary, Binary: plain_binary, Comparison: plain_comparison, Logic: plain_logic,
    BitTest: plain_bit, Where: plain_where, Cast: plain_cast, Call: plain_call,
}  # fmt: skip


def some_blocks(seed, shape):
    random = np.random.default_rng(seed)
    nir = random.normal(0, 3, shape).astype("f4")
    nir[random.random(shape) < 0.1] = random.choice([np.nan, np.inf, 0, -1, 3e38])
    values = {
        "red": random.integers(0, 4, shape, "u2"),
        "nir": nir,
        "sst": random.integers(-100, 100, shape) * 0.5,
        "flags": random.integers(-(2**31), 2**31, shape).astype("i4"),
        "sea-ice": random.choice([0.0, 0.5, 1.0, 1e308, np.nan], shape),
        "land": random.random(shape) < 0.5,
    }
    return {name: (one, random.random(shape) < 0.8) for name, one in values.items()}
