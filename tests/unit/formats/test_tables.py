"""CSV and NumPy by value."""

import csv
import io

import numpy as np

from datacube.formats.registry import encoders
from datacube.model.axis import IndexAxis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import CRS84
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid


def made():
    grid = RectifiedGrid.from_bbox(BoundingBox(0, 0, 3, 2, CRS84), 3, 2)
    domain = DomainSet(grid, (TimeAxis("time", np.array([0, 86_400_000])),))
    fields = (
        Field("sst", "int16", uom="K", nil=-1, scale=0.5, offset=273.0),
        Field("wind", "float32", uom="m s-1"),
    )
    packed = np.arange(12, dtype="int16").reshape(2, 2, 3)
    packed[1, 1, 2] = -1
    speed = (np.arange(12, dtype="float32") / 10).reshape(2, 2, 3)
    blocks = {
        field.name: Block(field, domain, data, field.valid(data))
        for field, data in zip(fields, (packed, speed), strict=True)
    }
    return Coverage(CoverageDescription("c", "C", "", domain, RangeType(fields)), blocks)


def test_csv_has_a_row_for_each_cell():
    text = b"".join(encoders().find("text/csv").encode(made())).decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["time", "Lat", "Long", "sst [K]", "wind [m s-1]"]
    assert len(rows) == 12
    assert rows[0] == ["1970-01-01T00:00:00Z", "1.5", "0.5", "273.0", "0.0"]
    assert rows[7] == ["1970-01-02T00:00:00Z", "1.5", "1.5", "276.5", "0.7"]
    assert rows[11] == ["1970-01-02T00:00:00Z", "0.5", "2.5", "", "1.1"]


def test_labels_of_csv_are_in_quotes_where_they_need_it():
    labels = 'wet, "mild"', "line\nbreak", "plain"
    grid = RectifiedGrid.from_bbox(BoundingBox(0, 0, 1, 1, CRS84), 1, 1)
    domain = DomainSet(grid, (IndexAxis("scenario", 3, labels=labels),))
    field = Field("t", "float32", uom="K, absolute")
    data = np.arange(3, dtype="float32").reshape(3, 1, 1)
    coverage = Coverage(
        CoverageDescription("c", "C", "", domain, RangeType((field,))),
        {"t": Block(field, domain, data)},
    )
    text = b"".join(encoders().find("text/csv").encode(coverage)).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header[-1] == "t [K, absolute]"
    assert [row[0] for row in rows] == list(labels)
    assert text.endswith("\r\nplain,0.5,0.5,2.0\r\n")


def test_csv_of_few_cells_is_that_of_many(monkeypatch):
    """Whether rows are made for many places at a time or plane by plane."""
    table = encoders().find("text/csv")
    together = b"".join(table.encode(made()))
    for limit in ("_TOGETHER", "_FEW"):
        monkeypatch.setattr(f"datacube.formats.csv.{limit}", 0)
        assert b"".join(table.encode(made())) == together


def test_npy_loads_as_the_physical_values():
    coverage = made()
    array = np.load(io.BytesIO(b"".join(encoders().find("npy").encode(coverage))))
    assert array.shape == (2, 2, 2, 3)
    assert np.array_equal(array[0], coverage.blocks["sst"].physical(), equal_nan=True)
    assert np.array_equal(array[1].astype("float32"), coverage.blocks["wind"].physical())
