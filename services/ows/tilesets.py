"""The tile matrix sets that are offered: the well-known, the configured, and a cube's own."""

from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.errors import TileMatrixSetNotFound
from datacube.model.bbox import BoundingBox
from datacube.model.tilesets import LARGER, native_set, well_known_sets
from datacube.model.tiling import TileMatrixSet
from services.ows.boxes import placed_box

NATIVE = "native"
"""Names the cells' own set in requests, beside its full name."""


def common_sets(context: Context) -> tuple[TileMatrixSet, ...]:
    """Those that any cube can be seen in, the most used first."""
    return (*well_known_sets(), *context.settings.tile_matrix_sets)


def own_set(cube: Cube) -> TileMatrixSet | None:
    """The set of a cube's own cells; None where they have no equal size."""
    grid = cube.description.domain.grid
    return native_set(f"{cube.id}__{NATIVE}", f"{cube.title}: its own cells", grid)


def sets_of(context: Context, cube: Cube) -> tuple[TileMatrixSet, ...]:
    """The sets that documents name for a cube: those of its area, and its own."""
    box = cube.description.domain.bbox
    near = (one for one in common_sets(context) if covered_box(one, box) is not None)
    own = own_set(cube)
    return (*near, *(() if own is None else (own,)))


def covered_box(one: TileMatrixSet, box: BoundingBox) -> BoundingBox | None:
    """The part of a box that a set covers, in the set's CRS; None where there is none."""
    placed = placed_box(box, one.crs)
    if placed is None:
        return None
    room = one.bbox
    left, right = max(placed.left, room.left), min(placed.right, room.right)
    bottom, top = max(placed.bottom, room.bottom), min(placed.top, room.top)
    if not (left < right and bottom < top):
        return None
    return replace(placed, left=left, bottom=bottom, right=right, top=top)


def tile_limits(one: TileMatrixSet, box: BoundingBox) -> dict[str, tuple[int, int, int, int]]:
    """First and last row, first and last column of an area's tiles, by the matrices that have them.

    Nothing of an area that is the whole of the set. The published schema of WMTS wants maxima above
    zero: limits begin at the first matrix of two rows and columns, and a maximum of 0 becomes 1.
    """
    placed = covered_box(one, box)
    if placed is None or placed.edges == one.bbox.edges:
        return {}
    matrices = (matrix for matrix in one.matrices if matrix.rows > 1 and matrix.columns > 1)
    found = ((matrix.id, one.limits(matrix, placed)) for matrix in matrices)
    return {
        name: (limits[0], max(limits[1], 1), limits[2], max(limits[3], 1))
        for name, limits in found
        if limits is not None
    }


def tile_matrix_set(context: Context, cube: Cube, name: str) -> TileMatrixSet:
    """The set of that identifier, as far as a cube is concerned.

    Parameters
    ----------
    name : str
        ``WebMercatorQuad``, ``native``, the full name of the cube's own set; with ``x2`` at its
        end the tiles have twice as many pixels along each side.

    Raises
    ------
    TileMatrixSetNotFound
        There is none; the message lists those there are.
    """
    bare = name.removesuffix(LARGER)
    own: TileMatrixSet | None = None
    found = next((one for one in common_sets(context) if one.id in {name, bare}), None)
    if found is None and (own := own_set(cube)) is not None and bare in {NATIVE, own.id}:
        found = own
    if found is None:
        offered = ", ".join(one.id for one in (*common_sets(context), *filter(None, (own,))))
        raise TileMatrixSetNotFound(
            f"no tile matrix set '{name[:100]}'; offered: {offered}", subject="TileMatrixSet"
        )
    return found if name in {found.id, NATIVE} else found.finer(2)
