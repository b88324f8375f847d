"""Coverages made by hand with value = 1000*t + 10*y + x (row, column of the array)."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

from datacube.model.axis import Axis, TimeAxis
from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.stream import stream_of

DAY = 86_400_000


def days(*numbers, calendar="standard"):
    return TimeAxis("time", np.array(numbers) * DAY, calendar)


def closed_form(shape):
    """1000*t + 10*y + x, and 100000 for each step of the slowest of further axes."""
    index = np.indices(shape)
    weights = [100_000, 1000][-(len(shape) - 2) :] if len(shape) > 2 else []
    return sum(w * i for w, i in zip([*weights, 10, 1], index, strict=True))


def make_coverage(
    *fields: Field,
    axes: tuple[Axis, ...] = (),
    crs="EPSG:4326",
    origin=(-20.0, 60.0),
    step=(2.0, -2.0),
    size=(6, 4),
    invalid=(),
    notes=(),
):
    fields = fields or (Field("v", "int16", nil=-32768),)
    transform = Affine(step[0], 0, origin[0], 0, step[1], origin[1])
    grid = RectifiedGrid(Crs.parse(crs) if ":" in crs[:6] else Crs.from_wkt(crs), transform, *size)
    domain = DomainSet(grid, axes)
    description = CoverageDescription(
        "closed",
        "Closed form",
        "value = 1000*t + 10*y + x",
        domain,
        RangeType(fields),
        snapshot="closed@1-abc",
        attribution="© Somebody",
        licence="CC-BY-4.0",
    )
    blocks = {}
    for number, field in enumerate(fields):
        data = (closed_form(domain.shape) + number).astype(field.dtype)
        valid = np.ones(domain.shape, bool)
        for place in invalid:
            valid[place] = False
        blocks[field.name] = Block(field, domain, data, valid)
    return Coverage(description, blocks, notes)


def in_bands(coverage, height, *, gaps=None):
    """The coverage as a stream of bands of so many rows."""
    whole = stream_of(coverage)
    rows = whole.bands[0].stop
    bands = tuple(slice(top, min(top + height, rows)) for top in range(0, rows, height))
    return replace(whole, bands=bands, gaps=whole.gaps if gaps is None else gaps)


def whole(content):
    """A file that may come in pieces."""
    return content if isinstance(content, bytes) else b"".join(content)


@contextmanager
def opened_tiff(content):
    with MemoryFile(whole(content)) as memory, memory.open() as file:
        yield file
