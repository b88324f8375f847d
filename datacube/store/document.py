"""Coverage descriptions as JSON, exact to the last bit in both directions.

The manifest keeps the description in this form; the CF attributes
(:mod:`datacube.store.attributes`) say the same to other programs.
"""

from dataclasses import asdict
from typing import Any, assert_never

import numpy as np
from affine import Affine

from datacube.errors import StorageError
from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis
from datacube.model.coverage import CoverageDescription, Level
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Category, Field, RangeType
from datacube.model.grid import Grid, RectifiedGrid, ReferenceableGrid
from datacube.store.positions import ReadGrids, dump_positions

type Json = dict[str, Any]


def dump_description(description: CoverageDescription) -> Json:
    """A description as JSON.

    Examples
    --------
    >>> from datacube.model.bbox import BoundingBox
    >>> from datacube.model.crs import CRS84
    >>> grid = RectifiedGrid.from_bbox(BoundingBox(-180, -90, 180, 90, CRS84), 7, 3)
    >>> made = CoverageDescription(
    ...     "sst", "SST", "", DomainSet(grid), RangeType((Field("v", "int16", nil=-1),)))
    >>> load_description(dump_description(made)) == made
    True
    """
    return {
        "id": description.id,
        "title": description.title,
        "abstract": description.abstract,
        "attribution": description.attribution,
        "licence": description.licence,
        "crs": asdict(description.domain.grid.crs),
        "grid": _dump_grid(description.domain.grid),
        "axes": [_dump_axis(axis) for axis in description.domain.axes],
        "fields": [_dump_field(field) for field in description.range_type.fields],
        "levels": [
            {"factor": level.factor, "grid": _dump_grid(level.grid)} for level in description.levels
        ],
    }


def load_description(document: Json, read_grids: ReadGrids | None = None) -> CoverageDescription:
    """The description of a JSON document.

    Parameters
    ----------
    document : mapping
    read_grids : callable, optional
        Reads the positions of a curvilinear grid, which are not in the document.

    Raises
    ------
    StorageError
        The document is not what :func:`dump_description` writes.
    """
    try:
        crs = Crs(**{**document["crs"], "labels": tuple(document["crs"]["labels"])})
        grids = _load_grids(document, crs, read_grids)
        levels = tuple(
            Level(number, level["factor"], grid)
            for number, (level, grid) in enumerate(zip(document["levels"], grids, strict=False))
        )
        axes = tuple(_load_axis(axis) for axis in document["axes"])
        return CoverageDescription(
            id=document["id"],
            title=document["title"],
            abstract=document["abstract"],
            domain=DomainSet(grids[0], axes),
            range_type=RangeType(tuple(_load_field(field) for field in document["fields"])),
            levels=levels,
            attribution=document["attribution"],
            licence=document["licence"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(f"the cube's description cannot be read: {error!r}") from error


def _load_grids(document: Json, crs: Crs, read: ReadGrids | None) -> tuple[Grid, ...]:
    """The grid of each level, the finest first; one at least."""
    said, levels = document["grid"], document["levels"]
    if "positions" not in said:
        return tuple(_load_grid(one["grid"], crs) for one in levels or [document])
    if read is None:
        raise ValueError("the positions of its cells are elsewhere")
    return read(crs, said, max(len(levels), 1))


def _dump_grid(grid: Grid) -> Json:
    if isinstance(grid, ReferenceableGrid):
        return dump_positions(grid)
    transform = [float(number) for number in tuple(grid.transform)[:6]]
    return {"transform": transform, "width": grid.width, "height": grid.height}


def _load_grid(document: Json, crs: Crs) -> RectifiedGrid:
    return RectifiedGrid(crs, Affine(*document["transform"]), document["width"], document["height"])


def _dump_field(field: Field) -> Json:
    document = asdict(field)
    if field.nil is not None and field.nil != field.nil:
        document["nil"] = "NaN"
    return document


def _load_field(document: Json) -> Field:
    nil, valid_range = document["nil"], document["valid_range"]
    return Field(
        **{
            **document,
            "nil": float("nan") if nil == "NaN" else nil,
            "valid_range": None if valid_range is None else tuple(valid_range),
            "categories": tuple(Category(**one) for one in document["categories"]),
        }
    )


def _dump_axis(axis: Axis) -> Json:
    match axis:
        case RegularAxis():
            return {"type": "regular", **asdict(axis)}
        case IndexAxis():
            return {"type": "index", **asdict(axis)}
        case IrregularAxis():
            values = {"coordinates": axis.coordinates.tolist(), "uom": axis.uom}
            kind = "irregular"
        case TimeAxis():
            values = {"ticks": axis.ticks.tolist(), "calendar": axis.calendar}
            kind = "time"
        case _:
            assert_never(axis)
    bounds = None if axis.bounds is None else axis.bounds.tolist()
    return {"type": kind, "name": axis.name, **values, "bounds": bounds, "title": axis.title}


def _load_axis(document: Json) -> Axis:
    values = {key: value for key, value in document.items() if key != "type"}
    match document["type"]:
        case "regular":
            return RegularAxis(**values)
        case "index":
            return IndexAxis(**{**values, "labels": tuple(values["labels"])})
        case "irregular":
            numbers = np.array(values["coordinates"], np.float64)
            bounds = values["bounds"]
            pairs = None if bounds is None else np.array(bounds, np.float64).reshape(-1, 2)
            return IrregularAxis(**{**values, "coordinates": numbers, "bounds": pairs})
        case "time":
            return TimeAxis(
                values["name"],
                np.array(values["ticks"], np.int64),
                values["calendar"],
                None
                if values["bounds"] is None
                else np.array(values["bounds"], np.int64).reshape(-1, 2),
                values["title"],
            )
        case other:
            raise ValueError(f"an axis of type '{other}'")
