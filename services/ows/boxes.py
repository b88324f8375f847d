"""Boxes that documents publish for a cube: geographic, and one for each CRS offered."""

from math import floor, isfinite

from datacube.errors import DatacubeError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84, Crs

_MERCATOR_TOP = 85.0511287798066  # latitude where the web map's square ends
_UTM_TOP = 84.0
_WEB = ("EPSG:4326", "EPSG:3857")


def geographic_box(box: BoundingBox) -> BoundingBox:
    """West, south, east, north in CRS84, west ≤ east: all round where it crosses ±180°.

    Examples
    --------
    >>> geographic_box(BoundingBox(0.0, -90.0, 360.0, 90.0, CRS84)).edges
    (-180.0, -90.0, 180.0, 90.0)
    """
    found = box.geographic()
    if found.crosses_antimeridian:
        return BoundingBox(-180.0, found.bottom, 180.0, found.top, CRS84)
    return found


def published_boxes(box: BoundingBox) -> tuple[BoundingBox, ...]:
    """A box for each CRS to publish: the cube's own first, then CRS84, 4326, 3857, a UTM zone.

    Geographic ones are the very numbers of :func:`geographic_box`.
    """
    world = geographic_box(box)
    wanted = [box.crs, CRS84, *(Crs.parse(code) for code in _WEB), *_utm(world)]
    found: dict[str, BoundingBox] = {}
    for crs in wanted:
        if crs.has_code and crs.key not in found:
            placed = _placed(box, world, crs)
            if placed is not None:
                found[crs.key] = placed
    return tuple(found.values())


def placed_box(box: BoundingBox, crs: Crs) -> BoundingBox | None:
    """The part of a box in the area that a CRS is for, in that CRS; None where there is none.

    Examples
    --------
    >>> europe = BoundingBox(-10.0, 36.0, 30.0, 70.0, CRS84)
    >>> placed_box(europe, Crs.parse("EPSG:5042")) is None
    True
    """
    world = geographic_box(box)
    if crs.same_plane(CRS84) or crs.key in {box.crs.key, "EPSG:3857"}:
        return _placed(box, world, crs)
    west, south, east, north = _area(crs)
    left, right = max(west, world.left), min(east, world.right)
    bottom, top = max(south, world.bottom), min(north, world.top)
    if not (left < right and bottom < top):
        return None
    return _placed(box, BoundingBox(left, bottom, right, top, CRS84), crs)


def _area(crs: Crs) -> tuple[float, float, float, float]:
    """West, south, east, north of what a CRS is for; the globe where that is not known."""
    area = crs.pyproj().area_of_use
    if area is None or area.west > area.east:
        return -180.0, -90.0, 180.0, 90.0
    return area.west, area.south, area.east, area.north


def ordered_edges(box: BoundingBox) -> tuple[float, float, float, float]:
    """Lower corner, upper corner, each in the authority's axis order."""
    return (*box.crs.ordered(box.left, box.bottom), *box.crs.ordered(box.right, box.top))


def _placed(box: BoundingBox, world: BoundingBox, crs: Crs) -> BoundingBox | None:
    if crs.same_plane(CRS84):
        return BoundingBox(*world.edges, crs)
    if box.crs.key == crs.key:
        return box
    top = _MERCATOR_TOP if crs.key == "EPSG:3857" else 90.0
    bottom, top = max(world.bottom, -top), min(world.top, top)
    if bottom >= top:
        return None
    try:
        placed = BoundingBox(world.left, bottom, world.right, top, CRS84).to_crs(crs)
    except DatacubeError:
        return None
    usable = all(isfinite(edge) for edge in placed.edges) and placed.left < placed.right
    return placed if usable else None


def _utm(world: BoundingBox) -> tuple[Crs, ...]:
    """The UTM zone of a small area's middle."""
    middle_x, middle_y = (world.left + world.right) / 2, (world.bottom + world.top) / 2
    if world.width > 12.0 or max(abs(world.bottom), abs(world.top)) > _UTM_TOP:
        return ()
    zone = min(floor((middle_x + 180.0) / 6.0) + 1, 60)
    return (Crs.parse(f"EPSG:{(32600 if middle_y >= 0 else 32700) + zone}"),)
