"""The data sets as cubes of our own store: its own transaction, default layout and codecs."""

import math
from collections.abc import Iterator

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from bench import scenes
from bench.scale import Scale
from datacube.model.axis import IrregularAxis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.store.create import create_cube
from datacube.store.cube import CubeStore, open_cube
from datacube.store.index import list_cubes
from datacube.store.objects import ObjectStore
from datacube.store.transaction import transaction
from datacube.store.url import open_store

DAY = 86_400_000
FIRST = 19_723 * DAY  # 2024-01-01
S2_CORNER = (600_000.0, 5_700_000.0)
S2_CELL = 10.0
SST_RANGE = (0.0, 30.0)


def make_all(scale: Scale) -> None:
    """Write the cubes that are not there yet."""
    store = open_store(str(scale.home / "store"))
    for make in (make_sst, make_s2, make_ocean):
        make(store, scale)


def make_sst(store: ObjectStore, scale: Scale) -> None:
    """Global sea surface temperature, packed, one slice a day, with a series copy."""
    days, height, width = scale.sst
    field = Field(
        "sst",
        "int16",
        "Cel",
        scenes.SST_NIL,
        scenes.SST_SCALE,
        0.0,
        "Sea surface temperature",
        "sea_surface_temperature",
        SST_RANGE,
    )
    missing = begin(store, describe("sst", globe(height, width), (field,)), days, series=days)
    mask = scenes.land(height, width) if missing else None
    for day in missing:
        assert mask is not None
        with transaction(store, "sst", f"day {day}") as tx:
            tx.write_slice(FIRST + day * DAY, {"sst": scenes.sst_day(day, height, width, mask)})
        print(f"  sst day {day + 1} of {days}", flush=True)


def make_s2(store: ObjectStore, scale: Scale) -> None:
    """Four bands of a tile of 10 m cells, every ten days."""
    dates, side = scale.s2
    fields = tuple(
        Field(name, "uint16", "1", scenes.S2_NIL, scenes.S2_SCALE) for name in scenes.BANDS
    )
    for date in begin(store, describe("s2", utm(side), fields), dates):
        with transaction(store, "s2", f"date {date}") as tx:
            tx.write_slice(FIRST + 10 * date * DAY, scenes.s2_date(date, side))
        print(f"  s2 date {date + 1} of {dates}", flush=True)


def make_ocean(store: ObjectStore, scale: Scale) -> None:
    """Temperature and currents on depth levels, every six hours."""
    steps, levels, height, width = scale.ocean
    fields = tuple(
        Field(name, "float32", unit)
        for name, unit in zip(scenes.OCEAN_FIELDS, ("Cel", "m/s", "m/s"), strict=True)
    )
    depth = IrregularAxis("depth", depths(levels), "m", "depth")
    missing = begin(store, describe("ocean", globe(height, width), fields, depth), steps)
    mask = scenes.land(height, width) if missing else None
    for step in missing:
        assert mask is not None
        values = {
            name: scenes.ocean_step(step, place, levels, height, width, mask)
            for place, name in enumerate(scenes.OCEAN_FIELDS)
        }
        with transaction(store, "ocean", f"step {step}") as tx:
            tx.write_slice(FIRST + step * DAY // 4, values)
        print(f"  ocean step {step + 1} of {steps}", flush=True)


def depths(levels: int) -> NDArray[np.float64]:
    """Depths in metres."""
    return np.round(np.geomspace(0.5, 5000.0, levels), 2)


def globe(height: int, width: int) -> RectifiedGrid:
    """The whole globe, longitude first."""
    return RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), width, height)


def utm(side: int) -> RectifiedGrid:
    """A square of 10 m cells in UTM 32N."""
    x, y = S2_CORNER
    return RectifiedGrid(Crs.parse("EPSG:32632"), Affine(S2_CELL, 0, x, 0, -S2_CELL, y), side, side)


def describe(
    name: str, grid: RectifiedGrid, fields: tuple[Field, ...], *axes: IrregularAxis
) -> CoverageDescription:
    """A cube that has a time axis, and these further ones."""
    time = TimeAxis("time", np.zeros(0, np.int64))
    return CoverageDescription(
        name, name, "Seeded test data", DomainSet(grid, (time, *axes)), RangeType(fields)
    )


def begin(
    store: ObjectStore, description: CoverageDescription, steps: int, series: int | None = None
) -> range:
    """Make the cube where it is absent; the steps that it lacks."""
    if description.id not in list_cubes(store):
        create_cube(store, description, series=series)
    cube = open_cube(store, description.id)
    time = cube.description.domain.time
    return range(0 if time is None else time.size, steps)


def read_level(cube: CubeStore, field: str, step: int, level: int) -> NDArray[np.generic]:
    """All values of a field at a step and level: stored dtype, (axes…, y, x)."""
    counts = cube.chunk_counts(field, level)[1:]
    lead, shape = counts[:-2], cube.chunk_shape(field, level)[-2:]
    grid = cube.description.levels[level].grid
    height, width = counts[-2] * shape[0], counts[-1] * shape[1]
    dtype = cube.description.range_type.field(field).dtype
    axes = cube.description.domain.shape[1:-2]
    if math.prod(lead) != math.prod(axes):
        raise ValueError("one chunk holds several places of an axis")
    whole = np.empty((*axes, height, width), dtype)
    for place in np.ndindex(*counts):
        row, column = place[-2] * shape[0], place[-1] * shape[1]
        part = cube.chunk(field, level, (step, *place))
        high, wide = part.shape[-2:]  # at the edge of the grid what lies on it
        target = whole[(*place[:-2], slice(row, row + high), slice(column, column + wide))]
        target[...] = part.reshape(high, wide)
    return whole[..., : grid.height, : grid.width]


def steps_of(cube: CubeStore) -> Iterator[int]:
    """Indexes of the cube's times."""
    time = cube.description.domain.time
    return iter(range(0 if time is None else time.size))
