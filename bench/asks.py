"""The workloads: seeded lists of questions, none of them asked twice."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from bench import cubes
from bench.scale import Scale
from bench.scenes import SEED

R = 20_037_508.342789244
"""Half the side of the world in Web Mercator, metres."""

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MapAsk:
    """A picture.

    Parameters
    ----------
    what : ``sst`` viridis over 0 … 30 degrees Celsius, ``rgb`` bands 4-3-2 over 0 … 0.3, ``ndvi``
        or ``mean`` of sst over all days
    crs : ``EPSG:3857`` or ``EPSG:4326``
    box : left, bottom, right, top; x first
    width, height : pixels
    step : index of the time
    tile : (z, x, y) where the box is one of Web Mercator's
    """

    what: str
    crs: str
    box: Box
    width: int
    height: int
    step: int
    tile: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class CutAsk:
    """Values of a box: ``ocean`` temperature of all depths as NetCDF, ``sst`` as GeoTIFF.

    Parameters
    ----------
    column, row, columns, rows : cells of the grid
    box : left, bottom, right, top, a quarter of a cell within those cells' outer edges
    """

    what: str
    column: int
    row: int
    columns: int
    rows: int
    box: Box
    step: int


@dataclass(frozen=True, slots=True)
class PointAsk:
    """The series of sst at the centre of a cell."""

    lon: float
    lat: float
    column: int
    row: int


type Ask = MapAsk | CutAsk | PointAsk


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of question.

    Parameters
    ----------
    name, words : str
    make : (scale, count) -> that many different questions
    target : (ratio to the best peer, ratio to the prototype) of performance targets
    most : how many questions a second are prepared for
    """

    name: str
    words: str
    make: Callable[[Scale, int], list[Ask]]
    target: tuple[float, float | None]
    most: int


def tile_box(z: int, x: int, y: int) -> Box:
    """Box of a Web Mercator tile.

    Examples
    --------
    >>> tile_box(0, 0, 0) == (-R, -R, R, R)
    True
    """
    side = 2 * R / 2**z
    return (x * side - R, R - (y + 1) * side, (x + 1) * side - R, R - y * side)


def sst_tiles(scale: Scale, wanted: int) -> list[Ask]:
    """W1: every zoom level z0 to z6 as often as it has tiles and days enough, else the next."""
    rng = _rng(1)
    days = scale.sst[0]
    stocks = [rng.permutation(4**z * days) for z in range(7)]
    asks: list[Ask] = []
    for turn in count():
        left = [z for z in range(7) if turn < len(stocks[z])]
        if not left or len(asks) >= wanted:
            break
        for z in left:
            tile, day = divmod(int(stocks[z][turn]), days)
            y, x = divmod(tile, 2**z)
            asks.append(_tile("sst", z, x, y, day))
    return _shuffled(asks[:wanted], rng)


def rgb_tiles(scale: Scale, wanted: int) -> list[Ask]:
    """W2: z10 to z14 within the scene."""
    return _s2_tiles(scale, wanted, "rgb", 2)


def ndvi_tiles(scale: Scale, wanted: int) -> list[Ask]:
    """W8."""
    return _s2_tiles(scale, wanted, "ndvi", 8)


def sst_maps(scale: Scale, wanted: int) -> list[Ask]:
    """W3: 1024 x 768 of 10 to 120 degrees of longitude."""
    rng = _rng(3)
    return [_degrees("sst", rng, 1024, 768, scale.sst[0], (10, 120)) for _ in range(wanted)]


def rgb_maps(scale: Scale, wanted: int) -> list[Ask]:
    """W4: 1024 x 768 of 10 to 70 km within the scene."""
    rng = _rng(4)
    dates, side = scale.s2
    left, bottom, right, top = _scene(side)
    asks: list[Ask] = []
    for _ in range(wanted):
        width = rng.uniform(0.09, 0.65) * (right - left)
        height = width * 0.75
        x, y = rng.uniform(left, right - width), rng.uniform(bottom, top - height)
        box = (x, y, x + width, y + height)
        asks.append(MapAsk("rgb", "EPSG:3857", box, 1024, 768, int(rng.integers(dates))))
    return asks


def ocean_cuts(scale: Scale, wanted: int) -> list[Ask]:
    """W5a: 1 x 20 x 300 x 300."""
    steps, _, height, width = scale.ocean
    return _cuts("ocean", _rng(5), wanted, steps, (height, width), min(300, height - 1))


def sst_cuts(scale: Scale, wanted: int) -> list[Ask]:
    """W5b: 2000 x 2000."""
    days, height, width = scale.sst
    return _cuts("sst", _rng(6), wanted, days, (height, width), min(2000, height * 5 // 9))


def points(scale: Scale, wanted: int) -> list[Ask]:
    """W6: different cells."""
    _, height, width = scale.sst
    cells = _rng(7).choice(height * width, min(wanted, height * width), replace=False)
    asks: list[Ask] = []
    for cell in cells.tolist():
        row, column = divmod(cell, width)
        step = 360 / width
        lon, lat = -180 + (column + 0.5) * step, 90 - (row + 0.5) * step
        asks.append(PointAsk(round(lon, 6), round(lat, 6), column, row))
    return asks


def mean_maps(_scale: Scale, wanted: int) -> list[Ask]:
    """W7: 512 x 512 of 10 to 25 degrees."""
    rng = _rng(9)
    return [_degrees("mean", rng, 512, 512, 1, (10, 25)) for _ in range(wanted)]


WORKLOADS = {
    one.name: one
    for one in (
        Workload("W1", "256² PNG of sst, z0 to z6", sst_tiles, (6, 0.65), 8000),
        Workload("W2", "256² RGB PNG of s2, z10 to z14", rgb_tiles, (3.5, 0.8), 2000),
        Workload("W3", "1024 x 768 of sst, EPSG:4326", sst_maps, (8, 0.7), 2000),
        Workload("W4", "1024 x 768 RGB of s2, EPSG:3857", rgb_maps, (4, 0.9), 500),
        Workload("W5a", "ocean 1 x 20 x 300 x 300 as NetCDF", ocean_cuts, (2.5, 0.7), 400),
        Workload("W5b", "sst 2000 x 2000 as GeoTIFF", sst_cuts, (2.5, 0.7), 800),
        Workload("W6", "point series of all days of sst", points, (10, None), 4000),
        Workload("W7", "512 x 512 mean over all days of sst", mean_maps, (5, 0.6), 400),
        Workload("W8", "256² NDVI PNG of s2, z10 to z14", ndvi_tiles, (4, None), 3000),
    )
}


def _rng(number: int) -> np.random.Generator:
    return np.random.default_rng((SEED, 900 + number))


def _tile(what: str, z: int, x: int, y: int, step: int) -> MapAsk:
    return MapAsk(what, "EPSG:3857", tile_box(z, x, y), 256, 256, step, (z, x, y))


def _s2_tiles(scale: Scale, wanted: int, what: str, number: int) -> list[Ask]:
    rng = _rng(number)
    dates, side = scale.s2
    left, bottom, right, top = _scene(side)
    stocks = []
    for z in range(10, 15):
        size = 2 * R / 2**z
        first, last = int((left + R) // size), int((right + R) // size)
        upper, lower = int((R - top) // size), int((R - bottom) // size)
        tiles = [
            (z, x, y, date)
            for x in range(first, last + 1)
            for y in range(upper, lower + 1)
            for date in range(dates)
        ]
        rng.shuffle(tiles)
        stocks.append(tiles)
    asks: list[Ask] = []
    for turn in range(max(map(len, stocks))):
        asks += [_tile(what, *stock[turn]) for stock in stocks if turn < len(stock)]
    return _shuffled(asks[:wanted], rng)


def _scene(side: int) -> Box:
    """Web Mercator box that lies within the scene."""
    from pyproj import Transformer  # noqa: PLC0415

    x, y = cubes.S2_CORNER
    length = side * cubes.S2_CELL
    ask = Transformer.from_crs("EPSG:32632", "EPSG:3857", always_xy=True).transform
    corners = [ask(x + a * length, y - b * length) for a in (0, 1) for b in (0, 1)]
    xs, ys = sorted(c[0] for c in corners), sorted(c[1] for c in corners)
    return xs[1], ys[1], xs[2], ys[2]


def _degrees(
    what: str,
    rng: np.random.Generator,
    width: int,
    height: int,
    steps: int,
    span: tuple[float, float],
) -> MapAsk:
    wide = rng.uniform(*span)
    high = wide * height / width
    x, y = rng.uniform(-180, 180 - wide), rng.uniform(-90, 90 - high)
    box = (round(x, 6), round(y, 6), round(x + wide, 6), round(y + high, 6))
    return MapAsk(what, "EPSG:4326", box, width, height, int(rng.integers(steps)))


def _cuts(
    what: str, rng: np.random.Generator, wanted: int, steps: int, shape: tuple[int, int], side: int
) -> list[Ask]:
    height, width = shape
    dx, dy = 360 / width, 180 / height
    seen: dict[CutAsk, None] = {}
    for _ in range(3 * wanted):
        if len(seen) == wanted:
            break
        column, row = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        left, top = -180 + column * dx, 90 - row * dy
        box = (left + dx / 4, top - side * dy + dy / 4, left + side * dx - dx / 4, top - dy / 4)
        exact = tuple(round(one, 6) for one in box)
        ask = CutAsk(what, column, row, side, side, exact, int(rng.integers(steps)))
        seen[ask] = None
    return list(seen)


def _shuffled(asks: list[Ask], rng: np.random.Generator) -> list[Ask]:
    return [asks[place] for place in rng.permutation(len(asks))]
