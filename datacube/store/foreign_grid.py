"""The horizontal grid of a Zarr array by all the ways in which its writer may have said it.

CF grid mappings come first, then what GDAL (``_CRS``, ``GeoTransform``), rioxarray
(``spatial_ref``), the Zarr conventions (``proj:…``, ``spatial:…``) and plain ``crs`` or ``epsg``
attributes say, of the array, of its group and of the groups above.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from affine import Affine

from datacube.errors import InvalidCrs, SourceError
from datacube.model.crs import Crs
from datacube.model.grid import Grid, RectifiedGrid
from datacube.store.cf import Coordinate, numbers
from datacube.store.cfgrid import equidistant, grid_of, lines_grid

type Attributes = Mapping[str, Any]

MAX_CELLS = 1 << 23
"""Longest side of a grid."""

_FARTHEST, _POLE = 720.0, 90.0
"""Degrees of longitude and latitude."""

_CF = ("grid_mapping_name", "crs_wkt", "spatial_ref", "proj4text")
_TEXTS = (
    *("proj:code", "proj:wkt2", "proj:projjson", "proj:epsg", "crs_wkt", "spatial_ref"),
    *("epsg_code", "spatial_epsg", "epsg", "EPSG", "crs", "srs", "proj4", "projection"),
)


def has_mapping(attributes: Attributes) -> bool:
    """Whether they are those of a CF grid mapping.

    Examples
    --------
    >>> has_mapping({"crs_wkt": "GEOGCRS[…]"}), has_mapping({"units": "m"})
    (True, False)
    """
    return any(attributes.get(name) for name in _CF)


def given_crs(sources: Iterable[Attributes]) -> Crs | None:
    """The first CRS that attributes other than a grid mapping's name.

    Examples
    --------
    >>> given_crs([{}, {"proj:code": "EPSG:32632"}]).key, given_crs([{"epsg": 3035}]).key
    ('EPSG:32632', 'EPSG:3035')
    """
    for attributes in sources:
        for said in _said(attributes):
            if (found := _read_crs(said)) is not None:
                return found
    return None


def _said(attributes: Attributes) -> Iterator[Any]:
    gdal = attributes.get("_CRS")
    if isinstance(gdal, dict):
        yield from (gdal.get(key) for key in ("wkt", "projjson", "url"))
    nested = attributes.get("proj")
    if isinstance(nested, dict):
        yield from (nested.get(key) for key in ("code", "wkt2", "projjson"))
    yield from (attributes.get(key) for key in _TEXTS)


def _read_crs(said: Any) -> Crs | None:
    if isinstance(said, dict):
        said = json.dumps(said)
    if isinstance(said, int) and not isinstance(said, bool):
        said = f"EPSG:{said}"
    if not isinstance(said, str) or not 3 <= len(said) <= 100_000:
        return None
    text = said.strip()
    if text.isdigit():
        text = f"EPSG:{text}"
    try:
        if text.startswith(("+proj", "{")) or "[" in text:
            return Crs.from_wkt(text)
        return Crs.parse(text)
    except InvalidCrs:
        return None


def given_transform(sources: Iterable[Attributes]) -> Affine | None:
    """The first transform of cell corners that attributes give.

    Examples
    --------
    >>> given_transform([{"GeoTransform": "500000 10 0 5100000 0 -10"}]).e
    -10.0
    """
    for attributes in sources:
        if (six := _six(attributes.get("GeoTransform"))) is not None:
            return Affine.from_gdal(*six)
        for key in ("spatial:transform", "proj:transform", "transform"):
            if (six := _six(attributes.get(key))) is not None:
                found = Affine(*six)
                nodes = attributes.get("spatial:registration") == "node"
                return found @ Affine.translation(-0.5, -0.5) if nodes else found
    return None


def _six(said: Any) -> Sequence[float] | None:
    if isinstance(said, str):
        try:
            values = [float(one) for one in said.replace(",", " ").split()]
        except ValueError:
            return None
    elif isinstance(said, list):
        values = [float(one) for one in numbers(said[:6])]
    else:
        return None
    return values[:6] if len(values) >= 6 and all(map(math.isfinite, values[:6])) else None


def grid_by(
    x: Coordinate | None,
    y: Coordinate | None,
    size: tuple[int, int],
    crs: Crs,
    mapping: Attributes,
    transform: Affine | None,
) -> Grid:
    """Grid of two coordinates, else of a transform, else of a position for each cell.

    Parameters
    ----------
    x, y : Coordinate, optional
    size : (width, height)
    crs : Crs
    mapping : attributes of the grid mapping
    transform : Affine, optional
        Of cell corners; taken where coordinates are absent, single, or too rounded to be regular.

    Raises
    ------
    SourceError
        None of them gives a grid.
    """
    if max(size) > MAX_CELLS or min(size) < 1:
        raise SourceError(f"a grid of {size[0]} x {size[1]} cells cannot be served")
    try:
        grid = _by_coordinates(x, y, size, crs, mapping)
    except SourceError:
        if transform is not None and _agrees(transform, size, x, y):
            grid = RectifiedGrid(crs, transform, *size)
        elif x is not None and y is not None and _lines(x, y, size, crs):
            return lines_grid(x, y, crs)
        else:
            raise
    _check(grid)
    return grid


def _lines(x: Coordinate, y: Coordinate, size: tuple[int, int], crs: Crs) -> bool:
    """Whether coordinates that are not equidistant are places on the globe."""
    if (len(x.values), len(y.values)) != size or not crs.geographic:
        return False
    far = np.abs(x.values).max() > _FARTHEST or np.abs(y.values).max() > _POLE
    finite = np.isfinite(x.values).all() and np.isfinite(y.values).all()
    return bool(finite) and not far and not equidistant(x, y, crs)


def _by_coordinates(
    x: Coordinate | None,
    y: Coordinate | None,
    size: tuple[int, int],
    crs: Crs,
    mapping: Attributes,
) -> RectifiedGrid:
    if x is None or y is None:
        raise SourceError("there are no coordinates along x and y, and no transform")
    for one, count in zip((x, y), size, strict=True):
        if len(one.values) != count:
            raise SourceError(
                f"the coordinates '{one.name}' have {len(one.values)} values for {count} cells"
            )
    return grid_of(x, y, crs, mapping)


def _agrees(
    transform: Affine, size: tuple[int, int], x: Coordinate | None, y: Coordinate | None
) -> bool:
    """Whether coordinates, where there are some, lie in the cells that the transform gives."""
    for one, start, step, count in (
        (x, transform.c, transform.a, size[0]),
        (y, transform.f, transform.e, size[1]),
    ):
        if one is not None:
            expected = start + (np.arange(count) + 0.5) * step
            if len(one.values) != count or not step:
                return False
            if not (np.abs(one.values - expected) < abs(step) / 2).all():
                return False
    return True


def _check(grid: RectifiedGrid) -> None:
    box = grid.bbox
    if not all(map(math.isfinite, box.edges)):
        raise SourceError("its coordinates are not finite")
    if grid.crs.geographic:
        slack = abs(grid.dy) + 1e-6
        if box.top > 90 + slack or box.bottom < -90 - slack:
            raise SourceError(f"latitudes from {box.bottom:g} to {box.top:g} leave the globe")
        if box.right - box.left > 720 or max(abs(box.left), abs(box.right)) > 1080:
            raise SourceError(f"longitudes from {box.left:g} to {box.right:g} are none")
