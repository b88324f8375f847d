"""Whether a granule fits a cube, what differs where it does not."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from datacube.errors import SourceError
from datacube.ingest.packing import Repacked, shift_between
from datacube.ingest.places import joint
from datacube.ingest.source import BandSource, Granule
from datacube.ingest.words import some
from datacube.model.axis import TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.model.time import Timestamp
from datacube.render.units import same_unit

_CELL = 1e-3  # tolerated distance of corresponding cell edges, in cells
_DEGREES = 1e-4  # tolerated distance of corresponding positions
_GREGORIAN = Timestamp.parse("1582-10-15").ticks("standard")


def fitted(granule: Granule, cube: CoverageDescription) -> Granule:
    """The granule with its values in the cube's packing; it may hold some of the cube's fields.

    Raises
    ------
    SourceError
        Grid, axes or fields differ; the message says what.
    """
    differences = [
        *_grid(granule.description.domain.grid, cube.domain.grid),
        *_axes(granule.description.domain, cube.domain),
        *_fields(granule.description, cube),
    ]
    if differences:
        raise SourceError(f"does not fit the cube '{cube.id}': {'; '.join(differences)}")
    own = granule.description.range_type.by_name
    fields = [field for field in cube.range_type.fields if field.name.lower() in own]
    shifts = {field.name: shift_between(own[field.name.lower()], field) or 0 for field in fields}
    slices = tuple(
        replace(
            one,
            bands={
                field.name: _moved(one.bands[field.name], field, shifts[field.name])
                for field in fields
            },
        )
        for one in granule.slices
    )
    return replace(granule, description=_dated(granule.description, cube), slices=slices, fits=True)


def _dated(own: CoverageDescription, cube: CoverageDescription) -> CoverageDescription:
    """The description with its times in the cube's calendar, which are the same."""
    time, theirs = own.domain.time, cube.domain.time
    if time is None or theirs is None or time.calendar == theirs.calendar:
        return own
    dated = replace(time, calendar=theirs.calendar)
    axes = tuple(dated if axis is time else axis for axis in own.domain.axes)
    return replace(own, domain=replace(own.domain, axes=axes))


def _moved(band: BandSource, field: Field, shift: int) -> BandSource:
    return Repacked(band, field, shift) if shift else band


def _grid(own: Grid, cube: Grid) -> Iterator[str]:
    if not own.crs.same_plane(cube.crs):
        yield f"its CRS is {own.crs.key} instead of {cube.crs.key}"
        return
    if own.shape != cube.shape:
        yield f"it has {own.width} x {own.height} cells instead of {cube.width} x {cube.height}"
        return
    match own, cube:
        case RectifiedGrid(), RectifiedGrid():
            yield from _box(own, cube)
        case ReferenceableGrid(), ReferenceableGrid():
            yield from _positions(own, cube)
        case _:
            yield "one has positions for each cell and the other equal cells"


def _positions(own: ReferenceableGrid, cube: ReferenceableGrid) -> Iterator[str]:
    """Whether cells lie elsewhere, by more than a rounding of float32 positions."""
    if own == cube:
        return
    off = np.abs(own.x - cube.x)
    off = np.fmax(np.minimum(off, np.abs(off - 360.0)), np.abs(own.y - cube.y))
    other = np.isnan(own.x) != np.isnan(cube.x)
    moved = np.count_nonzero(other | (off > _DEGREES))
    if moved:
        yield f"{moved} of its cells have another position"


def _box(own: RectifiedGrid, cube: RectifiedGrid) -> Iterator[str]:
    boxes = own.bbox, cube.bbox
    for one, other, cell in zip(
        boxes[0].edges, boxes[1].edges, (cube.dx, cube.dy) * 2, strict=True
    ):
        if abs(one - other) > _CELL * abs(cell):
            yield f"its box is {_numbers(boxes[0].edges)} instead of {_numbers(boxes[1].edges)}"
            return
    if own.dx * cube.dx < 0 or own.dy * cube.dy < 0:
        yield "its rows or columns run the other way"


def _axes(own: DomainSet, cube: DomainSet) -> Iterator[str]:
    time, theirs = own.time, cube.time
    if time is None or theirs is None:
        if time is not theirs:
            yield "it has no time" if time is None else "it has a time and the cube has none"
    elif not _same_dates(time, theirs):
        yield f"its calendar is {time.calendar} instead of {theirs.calendar}"
    further = [[axis for axis in one.axes if not isinstance(axis, TimeAxis)] for one in (own, cube)]
    names = [[axis.name for axis in axes] for axes in further]
    if names[0] != names[1]:
        yield f"its axes are {_list(names[0])} instead of {_list(names[1])}"
        return
    for one, other in zip(*further, strict=True):
        if joint(one, other) is None:
            yield f"other places along the axis '{one.name}'"


def _same_dates(own: TimeAxis, cube: TimeAxis) -> bool:
    """Whether the instants of an axis have the same dates in another one's calendar.

    The mixed calendar of CF, which is its default, and the proleptic one, which xarray writes, are
    one from 15 October 1582 on.
    """
    if own.calendar == cube.calendar:
        return True
    gregorian = {own.calendar, cube.calendar} == {"standard", "proleptic_gregorian"}
    instants = own.ticks if own.bounds is None else np.append(own.ticks, own.bounds)
    return gregorian and bool((instants >= _GREGORIAN).all())


def _fields(own: CoverageDescription, cube: CoverageDescription) -> Iterator[str]:
    """What is wrong with its fields; it may lack some of the cube's, but not all."""
    known = cube.range_type.by_name
    further = [one for one in own.range_type.names if one.lower() not in known]
    shared = [one for one in own.range_type.fields if one.name.lower() in known]
    grows = cube.domain.time is not None
    command = f"`datacube extend {cube.id} --like SOURCE`"
    if not shared:
        hint = f"; if they belong there, {command} adds them" if grows else ""
        mine, its = some(further), some(cube.range_type.names)
        yield f"it has none of the cube's fields ({its}) but {mine}{hint}"
        return
    if further:
        hint = f", which {command} adds" if grows else ""
        yield f"it has the further fields {some(further)}{hint}"
    for one in shared:
        field = known[one.name.lower()]
        if one.name != field.name:
            yield f"its field {one.name} is {field.name} there, a name that a recipe gives it"
        else:
            yield from _field(one, field)


def _field(own: Field, cube: Field) -> Iterator[str]:
    name = cube.name
    if own.dtype != cube.dtype:
        yield f"{name} is {own.dtype} instead of {cube.dtype}"
    elif own.nil != cube.nil:
        yield f"{name} marks no data by {own.nil} instead of {cube.nil}"
    elif shift_between(own, cube) is None:
        yield (
            f"{name} is packed with scale {own.scale} and offset {own.offset} instead of "
            f"{cube.scale} and {cube.offset}; a recipe's dtype stores all files in one way"
        )
    if not same_unit(own.uom, cube.uom):
        yield f"{name} is in '{own.uom}' instead of '{cube.uom}'"


def _numbers(edges: tuple[float, ...]) -> str:
    return ", ".join(f"{edge:g}" for edge in edges)


def _list(names: list[str]) -> str:
    return ", ".join(names) if names else "none but time"
