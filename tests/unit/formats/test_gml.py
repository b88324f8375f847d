"""The tuples of a GML document by value; the document around them is the services'."""

from math import prod

import numpy as np
import pytest
from affine import Affine

from datacube.errors import RequestTooLarge
from datacube.formats import gml
from datacube.model.axis import TimeAxis
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import CRS84
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.model.stream import stream_of

UPWARD = RectifiedGrid(CRS84, Affine(1.0, 0, 0, 0, 1.0, 0), 3, 2)
SWATH = ReferenceableGrid(CRS84, *np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0]))
DAYS = TimeAxis("time", np.array([0, 86_400_000]))


def made(grid, *fields, axes=(), valid=None):
    """Values count the cells in array order, 100 more in each field."""
    domain = DomainSet(grid, axes)
    counted = np.arange(prod(domain.shape)).reshape(domain.shape)
    blocks = {}
    for number, field in enumerate(fields):
        data = (counted + 100 * number).astype(field.dtype)
        whole = np.ones(domain.shape, bool) if valid is None else valid
        blocks[field.name] = Block(field, domain, data, whole)
    return Coverage(CoverageDescription("c", "C", "", domain, RangeType(fields)), blocks)


def written(coverage):
    """The tuples, and the fields as the document describes them."""
    told = []

    def around(description):
        told.append(description)
        return b"<", b">"

    content = b"".join(gml.stream(stream_of(coverage), around).pieces).decode()
    assert (content[0], content[-1]) == ("<", ">")
    return content[1:-1], told[0].range_type.fields


def test_rows_go_from_north_to_south_and_fields_stand_together():
    fields = Field("a", "int16"), Field("b", "float32")
    text, _ = written(made(UPWARD, *fields, axes=(DAYS,)))
    first = "3,103.0 4,104.0 5,105.0 0,100.0 1,101.0 2,102.0"
    assert text == f"{first} 9,109.0 10,110.0 11,111.0 6,106.0 7,107.0 8,108.0"


def test_cells_with_positions_come_as_they_are_stored():
    assert written(made(SWATH, Field("a", "uint8")))[0] == "0 1 2 3 4 5"


@pytest.mark.parametrize(
    ("field", "word", "nil"),
    [
        (Field("a", "int16", nil=-5), "-5", -5),
        (Field("a", "uint8"), "-1", -1),
        (Field("a", "int64"), str(-(2**63) - 1), -(2**63) - 1),
        (Field("a", "float64"), "NaN", None),
        (Field("a", "float32", nil=-9.0), "NaN", -9.0),
    ],
)
def test_cells_without_data(field, word, nil):
    valid = np.array([[True, True, True], [False, True, True]])
    text, fields = written(made(UPWARD, field, valid=valid))
    assert text.split()[0] == word
    assert fields[0].nil == nil


def test_truth_is_one():
    text, fields = written(made(UPWARD, Field("a", "bool")))
    assert text == "1 1 1 0 1 1"
    assert fields[0].nil is None


def test_many_values_become_text_some_at_a_time(monkeypatch):
    coverage = made(UPWARD, Field("a", "int16"), Field("b", "int16"), axes=(DAYS,))
    together = written(coverage)[0]
    monkeypatch.setattr(gml, "_TOGETHER", 4)
    assert written(coverage)[0] == together


def test_too_many_are_refused_with_what_would_pass(monkeypatch):
    description = made(UPWARD, Field("a", "int16"), axes=(DAYS,)).description
    monkeypatch.setattr(gml, "MOST_VALUES", 6)
    with pytest.raises(RequestTooLarge, match=r"12 values.*at most 1 of its 2 steps, or SCALE"):
        gml.check(description)
    monkeypatch.setattr(gml, "MOST_VALUES", 1)
    with pytest.raises(RequestTooLarge, match="Ask for application/netcdf"):
        gml.check(description)
