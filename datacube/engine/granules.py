"""What a time of a cube was made of: the granules that its store remembers."""

from dataclasses import dataclass

from datacube.engine.cube import Cube
from datacube.errors import DatacubeError
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84
from datacube.store.cube import CubeStore


@dataclass(frozen=True, slots=True)
class Granule:
    """One source of a slice.

    Parameters
    ----------
    id : str
    product : str, kind of product; empty where it is not known
    ingested : str, ISO 8601
    bbox : BoundingBox or None
        In CRS84, of its own pixels; known of those that were brought to another grid.
    """

    id: str
    product: str
    ingested: str
    bbox: BoundingBox | None


def granules(cube: Cube, index: int) -> tuple[Granule, ...]:
    """The granules of a time in the order in which they came; none where nobody has noted them.

    Parameters
    ----------
    index : int, place on the cube's time axis
    """
    store = cube.store
    if not isinstance(store, CubeStore):
        return ()
    return tuple(
        Granule(one.id, one.product, one.ingested, _box(one.attributes.get("bbox", "")))
        for one in store.granules(index)
    )


def _box(text: str) -> BoundingBox | None:
    try:
        west, south, east, north = map(float, text.split(","))
        return BoundingBox(west, south, east, north, CRS84)
    except (DatacubeError, ValueError):
        return None
