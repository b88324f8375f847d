"""Where on the globe datasets lie: polygons of longitudes and latitudes in WGS 84."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box

from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, transform
from services.ows.boxes import geographic_box
from services.wcs.v201.eo.datasets import Dataset

_PER_SIDE = 8  # parts of a side that is a curve on the globe


def footprint(dataset: Dataset) -> MultiPolygon:
    """The granules of a dataset, as far as they say where they lie, else its whole grid.

    Both are an area in which values may be, not the cells that have some.
    """
    whole = outline(dataset.series.cube.description.domain.bbox)
    boxes = [one.bbox for one in dataset.granules]
    known = [outline(one) for one in boxes if one is not None]
    if not known or len(known) < len(boxes):
        return whole
    return _polygons(whole.intersection(shapely.union_all(known))) or whole


@lru_cache(maxsize=256)
def outline(bounds: BoundingBox) -> MultiPolygon:
    """The edges of a box on the globe; two polygons where it crosses the antimeridian."""
    if not bounds.crs.geographic:
        ring = _ring(bounds)
        if np.isfinite(ring).all() and np.ptp(ring[:, 0]) < 180.0:
            polygon = Polygon(ring)
            if polygon.is_valid:
                return MultiPolygon([polygon])
    parts = bounds.geographic().split() if bounds.crs.geographic else (geographic_box(bounds),)
    return MultiPolygon([box(*one.edges) for one in parts])


def _ring(bounds: BoundingBox) -> NDArray[np.float64]:
    """Counter-clockwise, its first point again at its end; (points, 2)."""
    left, bottom, right, top = bounds.edges
    along = np.arange(_PER_SIDE) / _PER_SIDE
    x = np.concatenate([left + (right - left) * along, np.full(_PER_SIDE, right)])
    y = np.concatenate([np.full(_PER_SIDE, bottom), bottom + (top - bottom) * along])
    xs = np.concatenate([x, left + right - x, [left]])
    ys = np.concatenate([y, bottom + top - y, [bottom]])
    return np.stack(transform(xs, ys, bounds.crs, CRS84), -1)


def _polygons(shape: shapely.Geometry) -> MultiPolygon | None:
    """The surfaces of a shape."""
    parts: Iterable[shapely.Geometry] = getattr(shape, "geoms", [shape])
    found = [one for one in parts if isinstance(one, Polygon) and not one.is_empty]
    return MultiPolygon(found) if found else None
