"""What the WMS suite tests dimensions with: cars by the time, a lake by its level, heights.

The suite's sources have the cars and the lake as GML and the heights as a raster. Each is drawn
into the slices of a cube: a car into that of its time, a shore into that of its level, and a cell
of the terrain into that of its height.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from lxml import etree
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from datacube.model.axis import IrregularAxis, RegularAxis
from datacube.model.fields import Field
from tests.conformance.suites import checkouts
from tests.cubes import make_cube

DATA = "ets-wms13/src/main/resources/data"
_GML = "{http://www.opengis.net/gml}"
_OWN = "{http://www.opengis.net/cite/bluelake}"
_COLOR = {"red": 200, "green": 30, "blue": 60}
_NIL = 0
_CAR = 0.00006  # half its side in degrees
_STEP = 5  # every fifth cell of the terrain
_HIGHEST = 425

type Ring = list[tuple[float, float]]
type Shape = Mapping[str, Any]


def make_features(folder: Path) -> None:
    """Write the cubes Autos, Lakes and Terrain."""
    _make_autos(folder)
    _make_lakes(folder)
    _make_terrain(folder)


def _make_autos(folder: Path) -> None:
    bbox = (-0.0042, -0.0024, 0.0042, 0.0024)
    cars: dict[str, list[Shape]] = defaultdict(list)
    for feature in _features("Autos", "AutoFeature"):
        ((x, y),) = _ring(feature)
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        cars[_text(feature, "time")].append(
            {
                "type": "Polygon",
                "coordinates": [[(x + _CAR * dx, y + _CAR * dy) for dx, dy in corners]],
            }
        )
    times = sorted(cars)
    masks = [_drawn(cars[time], bbox, 420, 240) for time in times]
    _make(folder, "Autos", bbox, (420, 240), lambda t, _: masks[t], times=times)


def _make_lakes(folder: Path) -> None:
    bbox = (0.0, -0.002, 0.004, 0.0)
    shores = {
        float(_text(feature, "elev")): {
            "type": "Polygon",
            "coordinates": [_ring(one) for one in feature.iter(f"{_GML}LinearRing")],
        }
        for feature in _features("LakesWithElevation", "LakeFeature")
    }
    levels = sorted(shores, reverse=True)
    masks = [_drawn([shores[level]], bbox, 800, 400) for level in levels]
    axis = IrregularAxis("elevation", np.array(levels), "m")
    _make(folder, "Lakes", bbox, (800, 400), lambda _, k: masks[k], axes=(axis,))


def _make_terrain(folder: Path) -> None:
    with rasterio.open(checkouts() / DATA / "raster" / "terrain.tif") as source:
        heights = source.read(1)[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP]
    size = heights.shape[1], heights.shape[0]
    axis = RegularAxis("elevation", 0.0, 1.0, _HIGHEST + 1, "m")
    bbox = (-0.5, -0.5, 0.5, 0.5)
    _make(folder, "Terrain", bbox, size, lambda _, k: heights == k, axes=(axis,))


def _make(
    folder: Path,
    name: str,
    bbox: tuple[float, float, float, float],
    size: tuple[int, int],
    mask: Callable[[int, int], np.ndarray],
    *,
    times: list[str] | None = None,
    axes: tuple[IrregularAxis | RegularAxis, ...] = (),
) -> None:
    """A cube of one colour where the mask of a time and a level is true, else without data."""
    colors = tuple(_COLOR.values())

    def cells(t: int, k: int, f: int, _y: Any, _x: Any) -> np.ndarray:
        return np.where(mask(t, k), colors[f], _NIL)

    make_cube(
        folder,
        name,
        width=size[0],
        height=size[1],
        bbox=bbox,
        times=times,
        axes=axes,
        title=f"cite:{name}",
        fields=[Field(one, dtype="uint8", nil=_NIL) for one in _COLOR],
        formula=cells,
    )


def _features(name: str, kind: str) -> Iterator[etree._Element]:
    path = checkouts() / DATA / "gml" / f"{name}.xml"
    yield from etree.parse(str(path)).getroot().iter(f"{_OWN}{kind}")


def _text(feature: etree._Element, name: str) -> str:
    return (feature.findtext(f"{_OWN}{name}") or "").strip()


def _ring(element: etree._Element) -> Ring:
    """Its first coordinates, written ``x,y x,y``."""
    text = next(element.iter(f"{_GML}coordinates")).text or ""
    pairs = (pair.split(",") for pair in text.split())
    return [(float(x), float(y)) for x, y in pairs]


def _drawn(
    shapes: list[Shape], bbox: tuple[float, float, float, float], width: int, height: int
) -> np.ndarray:
    """Whether a cell's centre lies in one of the shapes: bool, (y, x)."""
    transform = from_bounds(*bbox, width, height)
    return rasterize(shapes, (height, width), transform=transform).astype(bool)
