"""Expressions: text and tree are one, and evaluation is what plain numpy gives, cell by cell."""

import gc
import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datacube.algebra import evaluate as evaluation
from datacube.algebra.check import check
from datacube.algebra.evaluate import evaluate
from datacube.algebra.needs import needs
from datacube.algebra.nodes import Binary, Call, FieldRef, walk
from datacube.algebra.show import show
from datacube.algebra.text import parse
from datacube.errors import InvalidExpression
from tests.expressions import FIELDS, any_name, plainly, size, some_blocks, trees

MOST = 200  # nodes that a tree may have


def small(tree):
    return size(tree) <= MOST


@settings(max_examples=400, deadline=None)
@given(trees(st.one_of(any_name, st.sampled_from(["and", "TRUE", "min", "B8A"])), any_name))
def test_text_and_tree_are_one(tree):
    text = show(tree)
    if len(text) <= 2000 and small(tree):
        assert parse(text) == tree
        assert show(parse(text)) == text


@given(any_name, any_name)
def test_names_of_other_cubes_survive(cube, name):
    assert parse(show(FieldRef(name, cube))) == FieldRef(name, cube)


@settings(max_examples=400, deadline=None)
@given(
    trees().filter(small),
    st.integers(0, 2**32),
    st.sampled_from([(), (7,), (3, 5), (2, 3, 4), (0, 4)]),
)
def test_equals_numpy(tree, seed, shape):
    blocks = some_blocks(seed, shape)
    before = {name: (one.copy(), valid.copy()) for name, (one, valid) in blocks.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, valid = evaluate(tree, blocks)
    with np.errstate(all="ignore"):
        expected, there, _ = plainly(tree, blocks)
    assert values.dtype == check(tree, FIELDS)
    assert valid.dtype == bool
    assert values.shape == valid.shape == shape
    np.testing.assert_array_equal(valid, np.broadcast_to(there, shape), show(tree))
    np.testing.assert_array_equal(
        values[valid], np.broadcast_to(expected, shape)[valid], show(tree)
    )
    assert values.dtype == bool or np.isfinite(values[valid].astype(float)).all()
    for name, (one, mask) in before.items():
        np.testing.assert_array_equal(one, blocks[name][0])
        np.testing.assert_array_equal(mask, blocks[name][1])


def rounds_by_lane(node):
    """Whether numpy may round the last lanes of an array otherwise than the rest."""
    exact = {"abs", "min", "max", "clip", "floor", "valid", "isnan", "isin", "bitand", "sqrt"}
    match node:
        case Call(name):
            return name not in exact
        case Binary(op):
            return op == "^"
        case _:
            return False


@settings(max_examples=60, deadline=None)
@given(trees().filter(small), st.integers(0, 2**32), st.integers(1, 30))
def test_pieces_change_nothing(tree, seed, cells):
    blocks = some_blocks(seed, (3, 4, 5))
    values, valid = evaluate(tree, blocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "PIECE", cells)
        again, there = evaluate(tree, blocks)
    assert again.dtype == values.dtype
    np.testing.assert_array_equal(there, valid)
    if not any(rounds_by_lane(node) for node, _ in walk(tree)):
        np.testing.assert_array_equal(again[valid], values[valid])


@settings(max_examples=100, deadline=None)
@given(trees().filter(small))
def test_evaluation_reads_what_it_needs(tree):
    blocks = some_blocks(1, (4,))
    evaluate(tree, {name: blocks[name] for name in needs(tree)})


def noise():
    """5,000 texts: bytes of all kinds, bytes of the language's own alphabet, shuffled words."""
    random = np.random.default_rng(20260101)
    signs = np.frombuffer(b'()()()+-*/^%<>=!&|?:,."abB8 \n0123eE_', np.uint8)
    words = ["(", ")", "+", "-", "not", "and", "B8", "1e9", "where(", "bit(", ",", "?", ":", "^",
             "**", '"', "min(", "float32(", "valid(", "nodata", "==", "a.b", "\n"]  # fmt: skip
    for number in range(5000):
        size = int(random.integers(0, 2100 if number % 10 == 0 else 60))
        match number % 3:
            case 0:
                yield random.integers(0, 256, size, np.uint8).tobytes()
            case 1:
                yield random.choice(signs, size).tobytes()
            case _:
                yield " ".join(random.choice(words, size // 3)).encode()


@pytest.fixture
def _no_collection():
    """Keep the garbage of other tests out of the time of these."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def attempt(text):
    """The tree or the refusal, and the seconds it took."""
    start = time.thread_time()
    try:
        return parse(text), time.thread_time() - start
    except InvalidExpression as error:
        return error, time.thread_time() - start


@pytest.mark.usefixtures("_no_collection")
def test_noise_is_refused_in_words():
    longest, trees_read = 0.0, 0
    for raw in noise():
        for text in (raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")):
            found, seconds = attempt(text)
            longest = max(longest, seconds)
            if isinstance(found, InvalidExpression):
                assert found.message.isprintable(), found.message
            else:
                trees_read += 1
                assert parse(show(found)) == found
    assert trees_read > 0
    assert longest < 0.05


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000, "-" * 1999 + "1", "not " * 499 + "true", "1^" * 999 + "1", "1+" * 999 + "1",
        "a?" * 999, "a?b:" * 499 + "c", "abs(" * 500, "." * 2000, "1" * 2000, "a" * 2000,
        "(" * 40 + "1" + ")" * 40, '"' * 2000, "((((a)^b)^c)^d)" * 100, "a." * 1000,
        "min(" + "1," * 998 + "1)",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("_no_collection")
def test_hostile_shapes_are_quick(text):
    found, seconds = attempt(text)
    assert not isinstance(found, InvalidExpression) or len(found.message) < 400
    assert seconds < 0.05
