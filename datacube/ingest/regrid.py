"""Granules brought to the grid of a recipe, or from swaths and tie points to a map grid.

Every window of the target is worked on in tiles; of the source only the window under a tile is
read, and a tile whose source window is large is divided. So memory stays bounded whatever the
sizes are. Nearest takes the pixel whose footprint holds the cell's centre; linear methods work on
packed numbers, which have the same scale and offset throughout.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from datacube.config.products import RecipeSettings, TargetSettings
from datacube.errors import DatacubeError, SourceError
from datacube.ingest.geometry import Geometry, Locator, Positions, TiePoints, footprint, spacing
from datacube.ingest.packing import with_nil
from datacube.ingest.source import BandSource, Granule
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import Field, RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import Interpolation
from datacube.slicing.footprint import AREA_METHODS, Footprint
from datacube.slicing.resample import resample
from datacube.slicing.warp import PixelPositions

_TILE = 1024
_SMALLEST = 32
_SOURCE_CELLS = 1 << 24
_REACH = 2
_MOST_CELLS = 1 << 36
_WHOLE = 1e-9
_MARGIN = 0.01
"""How much larger than its box a source may be, since boxes are known by some of their points."""

type Window = tuple[int, int, int, int]


def regridded(recipe: RecipeSettings, granule: Granule) -> Granule:
    """The granule on the recipe's grid; as it is where it needs no other.

    Raises
    ------
    SourceError
        The recipe's grid is no use for it.
    """
    source: Geometry = granule.positions or granule.description.domain.grid
    if recipe.swath == "own" and granule.positions is not None:
        return _as_it_is(granule, granule.positions)
    if recipe.grid is not None:
        target = target_grid(recipe.grid, source)
    elif granule.positions is not None:
        target = granule.description.domain.rectified
    else:
        return granule
    if isinstance(source, RectifiedGrid) and _same(source, target):
        return granule
    box = footprint(source, CRS84)
    if _apart(box, target):
        raise SourceError(
            f"it lies at {_edges(box)} (west, south, east, north), wholly outside the recipe's "
            f"grid, which is at {_edges(footprint(target, CRS84))}"
        )
    methods = {one.name or one.source: one.resampling for one in recipe.fields}
    where = Locator(source, target)
    fields = tuple(with_nil(one) for one in granule.description.range_type.fields)
    slices = tuple(
        replace(
            one,
            bands={
                field.name: RegriddedBand(
                    one.bands[field.name], field, where, methods.get(field.name) or "nearest"
                )
                for field in fields
            },
        )
        for one in granule.slices
    )
    domain = DomainSet(target, granule.description.domain.axes)
    description = replace(granule.description, domain=domain, range_type=RangeType(fields))
    return replace(granule, description=description, slices=slices, positions=None, bbox=box.edges)


def _as_it_is(granule: Granule, positions: Positions) -> Granule:
    """The granule with a position for each of its pixels."""
    if isinstance(positions, TiePoints):
        raise SourceError(
            "its positions are known at tie points only, so that it has no grid of its own; "
            "'swath: own' is for sources with a position for each pixel"
        )
    domain = DomainSet(positions, granule.description.domain.axes)
    return replace(granule, description=replace(granule.description, domain=domain), positions=None)


def target_grid(settings: TargetSettings, source: Geometry) -> RectifiedGrid:
    """The recipe's grid; without a box, whole cells of a lattice through (0, 0) around the source.

    Raises
    ------
    SourceError
        It has no cell, or more than can be meant.
    """
    crs = source.crs if settings.crs is None else Crs.parse(settings.crs)
    width, height = settings.resolution
    if settings.box is not None:
        return _cells(BoundingBox(*settings.box, crs).unwrapped(), width, height)
    box = footprint(source, crs)
    edges = (
        floor(box.left / width + _WHOLE) * width,
        floor(box.bottom / height + _WHOLE) * height,
        ceil(box.right / width - _WHOLE) * width,
        ceil(box.top / height - _WHOLE) * height,
    )
    return _cells(BoundingBox(*edges, crs), width, height)


def map_grid(source: Positions) -> RectifiedGrid:
    """The obvious map grid of a swath: longitude and latitude, cells as large as its pixels."""
    side = spacing(source)
    digits = 1 - floor(np.log10(side))
    box = footprint(source, CRS84)
    middle = np.cos(np.radians((box.bottom + box.top) / 2))
    width, height = round(side / max(middle, 0.1), digits), round(side, digits)
    return target_grid(TargetSettings((width, height), "EPSG:4326"), source)


def _cells(box: BoundingBox, width: float, height: float) -> RectifiedGrid:
    columns, rows = round(box.width / width), round(box.height / height)
    if columns < 1 or rows < 1 or columns * rows > _MOST_CELLS:
        raise SourceError(
            f"the recipe's grid would have {columns} x {rows} cells; its resolution "
            f"{width:g} x {height:g} is in units of {box.crs.key}"
        )
    edges = box.left, box.top - rows * height, box.left + columns * width, box.top
    return RectifiedGrid.from_bbox(BoundingBox(*edges, box.crs), columns, rows)


def _apart(source: BoundingBox, target: RectifiedGrid) -> bool:
    """Whether no cell of a target can have a value of a source, by the boxes around both."""
    try:
        box = footprint(target, CRS84)
    except DatacubeError:  # it reaches beyond what has a longitude
        return False
    margin = _MARGIN * max(source.width, source.height)
    if source.top + margin <= box.bottom or source.bottom - margin >= box.top:
        return True
    off = (box.left - source.right) % 360.0
    return margin < off and off + box.width + source.width + margin < 360.0


def _edges(box: BoundingBox) -> str:
    return ", ".join(f"{edge:.6g}" for edge in box.edges)


def _same(one: RectifiedGrid, other: RectifiedGrid) -> bool:
    return (
        one.shape == other.shape
        and one.crs.same_plane(other.crs)
        and one.transform.almost_equals(other.transform, precision=1e-9 * abs(one.dx))
    )


@dataclass(frozen=True, eq=False)
class RegriddedBand:
    """A band on another grid.

    Parameters
    ----------
    band : BandSource, on the source
    field : Field, with a no-data value or of floats
    where : Locator
    method : Interpolation
    """

    band: BandSource
    field: Field
    where: Locator
    method: Interpolation

    def read(
        self, index: tuple[int, ...], row0: int, row1: int, column0: int, column1: int
    ) -> NDArray[np.generic]:
        """Packed values of a window; see :class:`~datacube.ingest.source.BandSource`."""
        fill = np.nan if self.field.nil is None else self.field.nil
        out = np.full((row1 - row0, column1 - column0), fill, self.field.dtype)
        for row in range(row0, row1, _TILE):
            for column in range(column0, column1, _TILE):
                bottom, right = min(row + _TILE, row1), min(column + _TILE, column1)
                found = self.where.at(row, bottom, column, right, self.method)
                part = out[row - row0 : bottom - row0, column - column0 : right - column0]
                self._fill(part, index, found)
        return out

    def _fill(
        self, out: NDArray[np.generic], index: tuple[int, ...], found: PixelPositions
    ) -> None:
        """Fill a tile, in parts where much of the source lies under it."""
        window = self._under(found)
        if window is None:
            return
        top, bottom, left, right = window
        if (bottom - top) * (right - left) > _SOURCE_CELLS and max(out.shape) > _SMALLEST:
            for rows, columns in _quarters(out.shape):
                self._fill(out[rows, columns], index, _part(found, rows, columns))
            return
        data = self.band.read(index, top, bottom, left, right)
        valid = self.field.valid(data)
        values, good = resample(self.method, data, valid, _moved(found, top, left))
        out[good] = self._packed(values[good])

    def _under(self, found: PixelPositions) -> Window | None:
        """The rows and columns of the source that the tile's pixels look at."""
        height, width = self.where.source.shape
        extent = found.extent
        sides = (
            (found.v, found.v, height) if extent is None else (extent.v_low, extent.v_high, height),
            (found.u, found.u, width) if extent is None else (extent.u_low, extent.u_high, width),
        )
        edges = []
        reach = _REACH
        if extent is None and self.method in AREA_METHODS:
            reach += _stride(found)
        for low, high, size in sides:
            known = np.isfinite(low) & np.isfinite(high)
            if not known.any():
                return None
            first = max(0, floor(float(low[known].min())) - reach)
            last = min(size, ceil(float(high[known].max())) + reach)
            if last <= first:
                return None
            edges += [first, last]
        return edges[0], edges[1], edges[2], edges[3]

    def _packed(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Interpolated numbers in the field's dtype; none of them becomes no data."""
        dtype = np.dtype(self.field.dtype)
        if values.dtype == dtype:
            return values
        if dtype.kind == "f":
            return values.astype(dtype)
        info = np.iinfo(dtype)
        whole = np.clip(np.rint(values.astype(np.float64)), info.min, info.max)
        if self.field.nil is not None:
            whole[whole == self.field.nil] += 1 if self.field.nil == info.min else -1
        return whole.astype(dtype)


def _stride(found: PixelPositions) -> int:
    """How many pixels of the source lie between neighbouring cells at most."""
    steps = [np.abs(np.diff(one, axis=at)) for one in (found.u, found.v) for at in (0, 1)]
    known = [one[np.isfinite(one)] for one in steps]
    return ceil(max((float(one.max()) for one in known if one.size), default=0.0))


def _quarters(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    halves = [
        (slice(0, size // 2), slice(size // 2, size)) if size > 1 else (slice(0, size),)
        for size in shape
    ]
    for rows in halves[0]:
        for columns in halves[1]:
            yield rows, columns


def _part(found: PixelPositions, rows: slice, columns: slice) -> PixelPositions:
    extent = found.extent
    if extent is not None:
        extent = Footprint(
            *(one[rows, columns] for one in (extent.u_low, extent.u_high)),
            *(one[rows, columns] for one in (extent.v_low, extent.v_high)),
        )
    return PixelPositions(found.u[rows, columns], found.v[rows, columns], extent)


def _moved(found: PixelPositions, top: int, left: int) -> PixelPositions:
    """Positions counted from the corner of a window."""
    extent = found.extent
    if extent is not None:
        extent = Footprint(
            extent.u_low - left, extent.u_high - left, extent.v_low - top, extent.v_high - top
        )
    return PixelPositions(found.u - left, found.v - top, extent)
