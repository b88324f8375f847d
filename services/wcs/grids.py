"""Grids of WCS 1.0 and 1.1: exactly the box and the cells that were asked for.

What these versions describe is always a grid of equal cells, north up, in a CRS with a code; of a
coverage on another grid it is one with about as many cells.
"""

from math import floor, isfinite

from affine import Affine

from datacube.engine.coverage_plan import reprojected
from datacube.errors import InvalidParameter, RequestTooLarge
from datacube.model.bbox import BoundingBox
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid

WORLD = Crs.parse("EPSG:4326")
_MOST = 1_000_000  # cells of a side
_NOISE = 1e-4  # of a cell, in boxes that clients have reckoned


def plain_grid(domain: DomainSet) -> RectifiedGrid:
    """Equal cells, north up, in a CRS that has a code.

    Examples
    --------
    >>> from datacube.model.crs import CRS84
    >>> upward = RectifiedGrid.from_centres(CRS84, 0.5, 1.0, 4, 0.5, 1.0, 3)
    >>> plain_grid(DomainSet(upward)).transform.f, plain_grid(DomainSet(upward)).dy
    (3.0, -1.0)
    """
    grid = domain.grid
    if isinstance(grid, RectifiedGrid) and grid.crs.has_code:
        return _north_up(grid, grid.bbox)
    height, width = grid.shape
    crs = grid.crs if grid.crs.has_code else WORLD
    return reprojected(grid.bbox, height * width, crs)


def sized_grid(box: BoundingBox, width: int, height: int) -> RectifiedGrid:
    """So many cells that fill a box.

    Raises
    ------
    InvalidParameter
        The box has no area.
    """
    flat = box.unwrapped()
    if not (flat.width > 0 and flat.height > 0):
        raise InvalidParameter(f"the box {box.edges} has no area", subject="BBOX")
    return RectifiedGrid.from_bbox(flat, width, height)


def stepped_grid(box: BoundingBox, dx: float, dy: float) -> RectifiedGrid:
    """Cells of about a size that fill a box; at least one along each side.

    Examples
    --------
    >>> box = BoundingBox(0.0, 0.0, 10.0, 5.0, WORLD)
    >>> stepped_grid(box, 2.5, 1.0).shape
    (5, 4)
    """
    flat = box.unwrapped()
    width, height = _counted(flat.width / dx), _counted(flat.height / dy)
    return sized_grid(flat, max(round(width), 1), max(round(height), 1))


def centred_grid(
    box: BoundingBox, dx: float, dy: float, first: tuple[float, float] | None = None
) -> RectifiedGrid:
    """Cells whose centres lie in a box, from its upper left corner on.

    Parameters
    ----------
    dx, dy : float, above zero
    first : (x, y), optional
        A centre; taken as the first one where it is less than a step from that corner.

    Examples
    --------
    >>> found = centred_grid(BoundingBox(0.5, 0.5, 3.5, 1.5, WORLD), 1.0, 1.0)
    >>> found.shape, found.bbox.edges
    ((2, 4), (0.0, 0.0, 4.0, 2.0))
    """
    flat = box.unwrapped()
    x, y = flat.left, flat.top
    if first is not None and 0 <= first[0] - x < dx and 0 <= y - first[1] < dy:
        x, y = first
    width = floor(_counted((flat.right - x) / dx) + _NOISE) + 1
    height = floor(_counted((y - flat.bottom) / dy) + _NOISE) + 1
    return RectifiedGrid.from_centres(flat.crs, x, dx, width, y, -dy, height)


def native_grid(domain: DomainSet, box: BoundingBox, crs: Crs) -> RectifiedGrid:
    """The coverage's own cells whose centres lie in a box, or cells like them in another CRS.

    Cells go on beside the coverage. Where no centre lies in the box it is the cell around its
    middle.
    """
    own = plain_grid(domain)
    if not crs.same_plane(own.crs):
        inside = box.to_crs(own.crs)
        cells = inside.width * inside.height / abs(own.dx * own.dy)
        return reprojected(box, max(round(cells), 1), crs)
    flat = box.to_crs(own.crs).unwrapped()
    left, right = _places(flat.left, flat.right, own.transform.c, own.dx)
    top, bottom = _places(flat.top, flat.bottom, own.transform.f, own.dy)
    return own.window(top, left, bottom - top, right - left)


def _places(low: float, high: float, edge: float, step: float) -> tuple[int, int]:
    """Indexes of the cells whose centres lie from low to high; the last is excluded."""
    first, last = ((one - edge) / step - 0.5 for one in (low, high))
    _counted(last - first)
    start, stop = -floor(_NOISE - first), floor(last + _NOISE) + 1
    if stop <= start:
        start = floor((first + last) / 2 + 0.5)
        stop = start + 1
    return start, stop


def _north_up(grid: RectifiedGrid, box: BoundingBox) -> RectifiedGrid:
    transform = Affine(abs(grid.dx), 0.0, box.left, 0.0, -abs(grid.dy), box.top)
    return RectifiedGrid(grid.crs, transform, grid.width, grid.height)


def _counted(cells: float) -> float:
    if not (isfinite(cells) and cells < _MOST):
        raise RequestTooLarge(
            f"a side of {cells:.10g} cells is too long; it has at most {_MOST:,}", subject="BBOX"
        )
    return cells
