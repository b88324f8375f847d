"""Every example of docs/expressions.md, as it is written there."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

from datacube.algebra.check import check, resolve
from datacube.algebra.evaluate import evaluate
from datacube.algebra.functions import FUNCTIONS
from datacube.algebra.show import show
from datacube.algebra.text import parse
from datacube.errors import FieldNotFound, InvalidExpression
from datacube.model.fields import Field, RangeType

PAGE = Path(__file__).resolve().parents[3] / "docs" / "expressions.md"

FIELDS = RangeType(
    (
        Field("B04", "uint16"), Field("B08", "uint16"), Field("B8A", "float32"),
        Field("SCL", "uint8"), Field("QA", "uint16"),
        Field("sst", "int16", scale=0.01, offset=273.15), Field("sea-ice", "float64"),
        Field("land", "bool"), Field("chl", "float32"),
    )
)  # fmt: skip
CELL = {
    "B04": np.uint16(1), "B08": np.uint16(3), "B8A": np.float32(0.5), "SCL": np.uint8(4),
    "QA": np.uint16(40), "sst": np.float64(290.5), "sea-ice": np.float64(0.25),
    "land": np.bool_(True), "chl": np.float32(np.nan),
}  # fmt: skip
BLOCKS = {name: (np.array([one]), np.array([name != "chl"])) for name, one in CELL.items()}


def rows(*titles):
    """Rows of the tables with these titles; cells without backquotes and escapes."""
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [one.strip() for one in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells == list(titles):
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            yield tuple(one.replace("\\|", "|") for one in cells)


@pytest.mark.parametrize(("text", "gives", "kind"), [*rows("expression", "gives", "type")])
def test_results(text, gives, kind):
    tree = resolve(parse(text.strip("`")), FIELDS)
    values, valid = evaluate(tree, BLOCKS)
    assert check(tree, FIELDS).name == values.dtype.name == kind.strip("`")
    assert parse(show(tree)) == tree
    if gives == "no data":
        assert not valid[0]
        return
    assert valid[0]
    wanted = {"true": True, "false": False}.get(gives)
    if wanted is not None:
        assert values.dtype == bool
        assert bool(values[0]) is wanted
    else:
        assert values[0] == pytest.approx(float(gives), rel=1e-7 if kind == "`float32`" else 1e-12)


@pytest.mark.parametrize(("text", "message"), [*rows("expression", "message")])
def test_messages(text, message):
    with pytest.raises((InvalidExpression, FieldNotFound)) as refusal:
        check(parse(text.strip("`")), FIELDS)
    assert refusal.value.message == message


def test_functions_are_those_of_the_table():
    told = [(name.strip("`"), *rest) for name, *rest in rows("function", "arguments", "meaning")]
    assert told == [(one.name, one.arguments, one.meaning) for one in FUNCTIONS.values()]


def test_fields_are_those_of_the_table():
    told = {name.strip("`"): stored for name, stored, _ in rows("field", "stored as", "value")}
    assert list(told) == list(FIELDS.names)
    assert all(told[one.name].startswith(f"`{one.dtype}`") for one in FIELDS.fields)


def test_expressions_that_stand_alone():
    alone = re.findall(r"```expr\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert alone
    for text in alone:
        assert show(parse(text)) == text.strip()


def test_python():
    done = doctest.testfile(str(PAGE), module_relative=False)
    assert done.attempted > 10
    assert done.failed == 0
