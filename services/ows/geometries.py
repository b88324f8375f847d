"""Geometries of requests, in well-known text or GeoJSON -> paths and regions of the core."""

import numpy as np
import shapely
from shapely.geometry import (
    GeometryCollection,
    LineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from shapely.geometry.base import BaseGeometry

from datacube.errors import InvalidSubset
from datacube.model.crs import CRS84, Crs
from datacube.model.geometry import Path, Position, Region

LONGEST = 200_000  # characters
_FAR = 1e12  # degrees, metres or seconds
_SECOND = 1000  # milliseconds


def parse_places(text: str, crs: Crs) -> Path:
    """``POINT`` or ``MULTIPOINT``: places that nothing joins.

    Raises
    ------
    InvalidSubset
        The text is no such geometry.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> parse_places("MULTIPOINT((1 50),(2 51))", CRS84).vertices
    ((1.0, 50.0), (2.0, 51.0))
    """
    match geometry := _parsed(text):
        case Point() | MultiPoint():
            return _path(geometry, crs, joined=False)
        case _:
            raise _wrong(text, "POINT(8.5 50.1) or MULTIPOINT((8.5 50.1),(9 50))")


def parse_line(text: str, crs: Crs) -> Path:
    """``LINESTRING``, with Z (heights) and M (seconds since 1970) for each vertex.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> parse_line("LINESTRING M (1 50 0, 2 51 3600)", CRS84).times
    (0.0, 3600000.0)
    """
    match geometry := _parsed(text):
        case LineString():
            return _path(geometry, crs, joined=True)
        case _:
            raise _wrong(text, "LINESTRING(8.5 50.1, 9 50)")


def parse_region(text: str, crs: Crs) -> Region:
    """``POLYGON`` or ``MULTIPOLYGON``, holes included.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> parse_region("POLYGON((0 0, 4 0, 0 3, 0 0))", CRS84).bounds
    (0.0, 0.0, 4.0, 3.0)
    """
    match geometry := _parsed(text):
        case Polygon():
            polygons = [geometry]
        case MultiPolygon():
            polygons = list(geometry.geoms)
        case _:
            raise _wrong(text, "POLYGON((8 50, 9 50, 9 51, 8 51, 8 50))")
    rings = [ring for one in polygons for ring in (one.exterior, *one.interiors)]
    return Region(tuple(_positions(ring, crs) for ring in rings if not ring.is_empty), crs)


def parse_area(text: str, crs: Crs) -> Region:
    """A polygon or several in well-known text, or in GeoJSON, whose longitudes come first.

    Of a collection of features it is what their polygons cover together.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> ring = "[[0, 0], [4, 0], [0, 3], [0, 0]]"
    >>> parse_area('{"type": "Polygon", "coordinates": [' + ring + "]}", CRS84).bounds
    (0.0, 0.0, 4.0, 3.0)
    """
    if not text.lstrip().startswith("{"):
        return parse_region(text, crs)
    if len(text) > LONGEST:
        raise _too_long(text)
    try:
        found = shapely.from_geojson(text)
        if isinstance(found, GeometryCollection):  # of features: a layer of polygons
            found = shapely.union_all([one for one in found.geoms if one.area])
        return parse_region(shapely.to_wkt(found, -1), CRS84)
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise InvalidSubset(
            f"'{text[:80]}' is no polygon in GeoJSON: {' '.join(str(error).split())[:120]}"
        ) from error


def _too_long(text: str) -> InvalidSubset:
    return InvalidSubset(
        f"coords has {len(text):,} characters; at most {LONGEST:,} are read", subject="coords"
    )


def _parsed(text: str) -> BaseGeometry:
    if len(text) > LONGEST:
        raise _too_long(text)
    try:
        with np.errstate(invalid="ignore"):  # of coordinates that are no numbers
            found: BaseGeometry = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise InvalidSubset(
            f"coords '{text[:80]}' is no well-known text: {' '.join(str(error).split())[:120]}",
            subject="coords",
        ) from error
    if found.is_empty:
        raise InvalidSubset(f"coords '{text[:80]}' is empty", subject="coords")
    _check_numbers(found)
    return found


def _check_numbers(geometry: BaseGeometry) -> None:
    """Refuse positions, heights and times that are nowhere."""
    ordinates = shapely.get_coordinates(
        geometry, include_z=bool(geometry.has_z), include_m=bool(geometry.has_m)
    )
    wrong = ordinates[~(np.abs(ordinates) <= _FAR)]
    if wrong.size:
        raise InvalidSubset(
            f"coords has the number {wrong[0]:g}; each must lie within -{_FAR:g} and {_FAR:g}",
            subject="coords",
        )


def _path(geometry: BaseGeometry, crs: Crs, *, joined: bool) -> Path:
    times = _ordinates(geometry, "m") if geometry.has_m else ()
    heights = _ordinates(geometry, "z") if geometry.has_z else ()
    return Path(
        _positions(geometry, crs), crs, joined, tuple(_SECOND * one for one in times), heights
    )


def _positions(geometry: BaseGeometry, crs: Crs) -> tuple[Position, ...]:
    """X before y, whatever the order of the CRS."""
    places = shapely.get_coordinates(geometry)
    return tuple(crs.ordered(first, second) for first, second in places.tolist())


def _ordinates(geometry: BaseGeometry, which: str) -> tuple[float, ...]:
    values = shapely.get_coordinates(geometry, include_z=which == "z", include_m=which == "m")
    return tuple(values[:, 2].tolist())


def _wrong(text: str, example: str) -> InvalidSubset:
    kind = text.partition("(")[0].strip()[:30]
    return InvalidSubset(f"coords is a {kind} here; write {example}", subject="coords")
