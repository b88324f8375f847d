"""Questions that are asked one after the other: how long a single answer takes.

The order of three years of a Mediterranean sea surface temperature, by nearest cells; the mean of
13,575 of its days as a map, and as many days at a point by the series copy; the same tile of a cube
of 32 and of one of 100,000 times.
"""

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

import httpx
import numpy as np
from affine import Affine

from bench import cubes
from datacube.model.crs import Crs
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid
from datacube.store.index import list_cubes
from datacube.store.objects import ObjectStore
from datacube.store.rebuild import rebuild_series
from datacube.store.transaction import transaction
from tests.cubes import repeat_slices

ORDER = "mediterranean"
FEW, MANY = "few-times", "many-times"
REFERENCE, LONG = "reference", "long-series"
_HOUR = cubes.DAY // 24
_FIRST = 16_800  # days since 1970: the last of 2015 are before the order
_DAYS = 1120
_TIMES = 100_000
_REFERENCE_DAYS = 13_575  # from 1981-11-01
_REFERENCE_FIRST = 4322


@dataclass(frozen=True)
class Single:
    """A question and how long its answer took.

    Parameters
    ----------
    words : str
    seconds : tuple of float, of each time it was asked
    most : float, how long it may take; the median counts
    nbytes : int, of an answer
    """

    words: str
    seconds: tuple[float, ...]
    most: float
    nbytes: int

    @property
    def typical(self) -> float:
        """The median."""
        return median(self.seconds)


def make_all(store: ObjectStore) -> None:
    """Write the cubes that are not there yet."""
    there = list_cubes(store)
    days = range(
        _REFERENCE_FIRST * cubes.DAY,
        (_REFERENCE_FIRST + _REFERENCE_DAYS) * cubes.DAY,
        cubes.DAY,
    )
    if ORDER not in there:
        _make_order(store, ORDER, _DAYS, series=256)
    if REFERENCE not in there:
        _make_order(store, REFERENCE, _DAYS // 2)  # more than the cache holds
        repeat_slices(store, REFERENCE, days)
    if LONG not in there:
        _make_long(store)
        repeat_slices(store, LONG, days)
        rebuild_series(store, LONG, tail=True)
    field = Field("v", "int16", "1", -32768, valid_range=(0.0, 1000.0))
    y, x = np.arange(1024)[:, np.newaxis], np.arange(2048)
    for name in (FEW, MANY):
        if name in there:
            continue
        cubes.begin(store, cubes.describe(name, cubes.globe(1024, 2048), (field,)), 32)
        with transaction(store, name, "32 times") as tx:
            for t in range(32):
                tx.write_slice(cubes.FIRST + t * _HOUR, {"v": ((x + y + t) % 1000).astype("int16")})
    if MANY not in there:
        hours = range(cubes.FIRST, cubes.FIRST + _TIMES * _HOUR, _HOUR)
        repeat_slices(store, MANY, hours)


def _make_order(store: ObjectStore, name: str, days: int, series: int | None = None) -> None:
    """1306 x 379 cells of 1/24 degree, a smooth field with noise, three years of days."""
    step = 1 / 24
    corner = Affine(step, 0, -18.125 - step / 2, 0, step, 30.25 - step / 2)
    grid = RectifiedGrid(Crs.parse("EPSG:4326"), corner, 1306, 379)
    field = Field("analysed_sst", "int16", "K", -32768, 0.01, 273.15, valid_range=(270.0, 310.0))
    cubes.begin(store, cubes.describe(name, grid, (field,)), days, series=series)
    rng = np.random.default_rng(21)
    noise = rng.normal(0, 6, (8, 379, 1306)).astype("int16")
    y, x = np.arange(379)[:, np.newaxis], np.arange(1306)
    for first in range(0, days, 280):
        with transaction(store, name, f"from day {first}") as tx:
            for day in range(first, first + 280):
                year = 700 * np.sin(2 * np.pi * (day - 100) / 365.25)
                smooth = 1600 + year - 1.5 * y + 40 * np.sin((x + 3 * day) / 60)
                values = smooth.astype("int16") + noise[day % 8]
                tx.write_slice((_FIRST + day) * cubes.DAY, {"analysed_sst": values})


def _make_long(store: ObjectStore) -> None:
    """128 x 128 cells, 32 days; small, as a series at a point takes the same of any grid."""
    field = Field("v", "int16", "K", -32768, 0.01, 273.15)
    cubes.begin(store, cubes.describe(LONG, cubes.globe(128, 128), (field,)), 32)
    noise = np.random.default_rng(23).normal(0, 300, (32, 128, 128)).astype("int16")
    with transaction(store, LONG, "32 days") as tx:
        for day in range(32):
            tx.write_slice((_FIRST + day) * cubes.DAY, {"v": noise[day]})


def measure(url: str, times: int = 5) -> list[Single]:
    """Ask a running server.

    Parameters
    ----------
    url : str, of its root
    times : int, how often the order is asked for
    """
    with httpx.Client(base_url=url, timeout=120) as client:
        words = "three years of 271 x 119 cells as NetCDF"
        order = _timed(client, words, [_order()] * times, 3.0)
        mean = _timed(client, "the mean of 13,575 days, 1024 x 768", [_mean()], 30.0)
        points = [_point(row) for row in range(0, 128, 16)]
        series = _timed(client, "13,575 days at a point", points, 1.0)
        few, many = (
            _timed(client, f"a tile of a cube of {of:,} times", _tiles(name, of), 0.05)
            for name, of in ((FEW, 32), (MANY, _TIMES))
        )
    return [order, mean, series, few, many]


def _order() -> str:
    pairs = [
        ("SERVICE", "WCS"),
        ("VERSION", "2.0.1"),
        ("REQUEST", "GetCoverage"),
        ("COVERAGEID", ORDER),
        ("FORMAT", "application/netcdf"),
        ("SELECTION", "nearest"),
        ("SUBSET", "Long(1.2499305555556701,12.499305555555678)"),
        ("SUBSET", "Lat(40.6044770164445,45.53118226545946)"),
        ("SUBSET", "ansi(2016-01-01,2018-12-31)"),
    ]
    return "/wcs?" + urlencode(pairs)


def _mean() -> str:
    """The whole grid, a little closer than its cells."""
    pairs = {
        "SERVICE": "WMS",
        "VERSION": "1.3.0",
        "REQUEST": "GetMap",
        "LAYERS": REFERENCE,
        "STYLES": "",
        "CRS": "CRS:84",
        "BBOX": "-18.1,30.3,36.2,46",
        "WIDTH": "1024",
        "HEIGHT": "768",
        "FORMAT": "image/png",
        "TIME": "1981/2018",
        "AGG": "mean",
    }
    return "/wms?" + urlencode(pairs)


def _point(row: int) -> str:
    """All days at one cell; each in another chunk of the series copy."""
    pairs = [("SERVICE", "WCS"), ("VERSION", "2.0.1"), ("REQUEST", "GetCoverage")]
    pairs += [("COVERAGEID", LONG), ("FORMAT", "text/csv")]
    lat, lon = 89 - row * 180 / 128, row * 360 / 128 - 178
    return "/wcs?" + urlencode([*pairs, ("SUBSET", f"Lat({lat})"), ("SUBSET", f"Long({lon})")])


def _tiles(name: str, times: int, count: int = 150) -> list[str]:
    """Tiles of zoom 3 at times all over the axis."""
    rng = np.random.default_rng(22)
    hours = rng.choice(times, count, replace=count > times)
    texts = np.datetime64("2024-01-01T00:00:00") + hours.astype("timedelta64[h]")
    places = rng.permutation(np.arange(count) % 64)
    return [
        f"/wmts/1.0.0/{name}/default/{time}Z/WebMercatorQuad/3/{place // 8}/{place % 8}.png"
        for time, place in zip(texts, places.tolist(), strict=True)
    ]


def _timed(client: httpx.Client, words: str, paths: list[str], most: float) -> Single:
    seconds, nbytes = [], 0
    for path in paths:
        started = perf_counter()
        answer = client.get(path)
        seconds.append(perf_counter() - started)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        nbytes = len(answer.content)
    return Single(words, tuple(seconds), most, nbytes)
