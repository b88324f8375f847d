"""A simulated Sentinel-2 scene: digital numbers of each band, and the scene classes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.demo.landscape import Cover, Landscape, make_landscape
from services.demo.noise import Floats
from services.demo.season import shares, surface_reflectance
from services.demo.sky import Sky, Weather, haze_in, make_sky
from services.demo.spectra import BANDS, Band, cloud_reflectance

QUANTIFICATION = 10_000
ADD_OFFSET = -1_000
SEED = 20_240_405
SIZE = 1098
CELL = 10


@dataclass(frozen=True, slots=True)
class Pass:
    """One overpass.

    Attributes
    ----------
    start : datetime.datetime
        Sensing start, UTC.
    spacecraft : str
        ``A`` or ``B``.
    orbit : int
        Absolute orbit number.
    sun : (float, float)
        Zenith angle and azimuth in degrees.
    weather : Weather
    """

    start: dt.datetime
    spacecraft: str
    orbit: int
    sun: tuple[float, float]
    weather: Weather


PASSES: tuple[Pass, ...] = (
    Pass(
        dt.datetime(2024, 4, 5, 10, 10, 21, tzinfo=dt.UTC),
        "A",
        45_900,
        (43.6, 156.1),
        Weather(cloud=0.02, cirrus=0.34, haze=0.007),
    ),
    Pass(
        dt.datetime(2024, 5, 10, 10, 10, 19, tzinfo=dt.UTC),
        "B",
        37_490,
        (33.0, 152.2),
        Weather(cloud=0.16),
    ),
    Pass(dt.datetime(2024, 6, 9, 10, 10, 19, tzinfo=dt.UTC), "B", 37_919, (28.4, 146.9), Weather()),
    Pass(
        dt.datetime(2024, 7, 4, 10, 10, 21, tzinfo=dt.UTC),
        "A",
        47_187,
        (28.6, 144.3),
        Weather(cloud=0.34, haze=0.006),
    ),
    Pass(
        dt.datetime(2024, 8, 8, 10, 10, 19, tzinfo=dt.UTC),
        "B",
        38_777,
        (34.7, 149.1),
        Weather(cloud=0.05, swath=0.30),
    ),
    Pass(
        dt.datetime(2024, 9, 12, 10, 10, 21, tzinfo=dt.UTC),
        "A",
        48_188,
        (45.6, 158.3),
        Weather(cloud=0.03),
    ),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Pixels of one overpass.

    Attributes
    ----------
    overpass : Pass
    bands : mapping of str to uint16, (y, x)
        Digital numbers by band name, at the band's resolution: 10,000 times the
        reflectance, plus 1,000; 0 is no data.
    classes : uint8, (y, x)
        Scene classes at 20 m, `services.demo.spectra.SCENE_CLASSES`.
    """

    overpass: Pass
    bands: Mapping[str, NDArray[np.uint16]]
    classes: NDArray[np.uint8]


def make_scene(overpass: Pass, land: Landscape, seed: int = SEED) -> Scene:
    """Simulate one overpass.

    Parameters
    ----------
    overpass : Pass
    land : Landscape
        A square land whose side is a multiple of 6 cells.
    seed : int
        The same seed, land and pass give the same pixels.

    Returns
    -------
    Scene

    Examples
    --------
    >>> scene = make_scene(PASSES[2], make_landscape(60, SEED))
    >>> scene.bands["B04"].shape, scene.bands["B11"].shape, scene.bands["B01"].shape
    ((60, 60), (30, 30), (10, 10))
    >>> scene.classes.shape, str(scene.classes.dtype)
    ((30, 30), 'uint8')
    """
    size = land.cover.shape[0]
    rng = np.random.default_rng([seed, overpass.start.timetuple().tm_yday])
    sky = make_sky(size, overpass.weather, overpass.sun, rng)
    made = shares(land, overpass.start.timetuple().tm_yday, seed)
    ground = {band.name: surface_reflectance(land, made, band.name) for band in BANDS}
    numbers = {
        band.name: _numbers(
            _through(ground[band.name], sky, band, overpass.weather), sky, band, rng
        )
        for band in BANDS
    }
    return Scene(overpass, numbers, most_frequent(classify(land, ground, sky)))


def _through(ground: Floats, sky: Sky, band: Band, weather: Weather) -> Floats:
    """The ground seen through shadow, haze, cirrus and cloud."""
    skylight = 0.46 * (490 / band.centre) ** 0.9
    lit = ground * (1 - (1 - skylight) * sky.shadow)
    hazy = lit + haze_in(band.centre, weather.haze)
    veil = sky.cirrus if band.centre < 1000 else 0.45 * sky.cirrus
    veiled = hazy * (1 - veil) + 0.62 * veil
    top = cloud_reflectance(band.name) * sky.glow
    return np.asarray(veiled * (1 - sky.cloud) + top * sky.cloud, np.float32)


def _numbers(
    reflectance: Floats, sky: Sky, band: Band, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Reflectance as the band's digital numbers, with the sensor's noise."""
    coarse = block_mean(reflectance, band.resolution // CELL)
    seen = block_mean(sky.seen.astype(np.float32), band.resolution // CELL) == 1
    noisy = coarse * QUANTIFICATION + rng.normal(0, 5, coarse.shape)
    return np.where(seen, np.clip(np.rint(noisy) - ADD_OFFSET, 1, 65_534), 0).astype(np.uint16)


def classify(land: Landscape, ground: Mapping[str, Floats], sky: Sky) -> NDArray[np.uint8]:
    """Scene classes from what is known to be there.

    Parameters
    ----------
    land : Landscape
    ground : mapping of str to float32, (y, x)
        Reflectance of the ground at 10 m; B04 and B08 are read.
    sky : Sky

    Returns
    -------
    uint8, (y, x)
        At 10 m.
    """
    red, near = ground["B04"], ground["B08"]
    ndvi = (near - red) / (near + red)
    rules = (
        (~sky.seen, 0),
        (sky.cloud > 0.6, 9),
        (sky.cloud > 0.22, 8),
        (sky.cirrus > 0.07, 10),
        (sky.shadow > 0.25, 3),
        (sky.cloud > 0.10, 7),
        (land.cover == Cover.WATER, 6),
        (ndvi > 0.40, 4),
    )
    classes = np.select([rule for rule, _ in rules], [number for _, number in rules], 5)
    return classes.astype(np.uint8)


def block_mean(values: Floats, factor: int) -> Floats:
    """Mean of each block of ``factor`` by ``factor`` cells.

    Examples
    --------
    >>> block_mean(np.array([[1, 3], [5, 7]], np.float32), 2).tolist()
    [[4.0]]
    """
    if factor == 1:
        return values
    rows, columns = values.shape
    blocks = values.reshape(rows // factor, factor, columns // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def most_frequent(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Most frequent class of each block of 2 by 2 cells; the north-western one wins a tie.

    Examples
    --------
    >>> most_frequent(np.array([[4, 5], [5, 6]], np.uint8)).tolist()
    [[5]]
    """
    four = np.stack(
        [classes[::2, ::2], classes[::2, 1::2], classes[1::2, ::2], classes[1::2, 1::2]]
    )
    counts = (four[:, None] == four[None]).sum(axis=1)
    best = counts.argmax(axis=0)
    return np.asarray(np.take_along_axis(four, best[None], axis=0)[0])


def land_of(size: int = SIZE, seed: int = SEED) -> Landscape:
    """The land of the demo.

    Raises
    ------
    ValueError
        If ``size`` is no multiple of 6: the 60 m bands need whole cells.
    """
    if size <= 0 or size % 6:
        msg = f"size {size} is no multiple of 6 cells of 10 m; use 1098 or 120"
        raise ValueError(msg)
    return make_landscape(size, seed)
