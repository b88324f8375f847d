"""Clouds, cirrus, shadows and the edge of the swath over the simulated scenes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.demo.noise import Floats, fractal, positions, smoothstep


@dataclass(frozen=True, slots=True)
class Weather:
    """The sky of a date.

    Attributes
    ----------
    cloud : float
        Share of the scene under cumulus, 0..1.
    cirrus : float
        Strength of thin high cloud, 0..1.
    haze : float
        What the atmospheric correction left over, as reflectance in the blue.
    swath : float
        Share of the scene's northern edge outside the swath: cells without data in the north-west.
    """

    cloud: float = 0.0
    cirrus: float = 0.0
    haze: float = 0.004
    swath: float = 0.0


@dataclass(frozen=True, slots=True)
class Sky:
    """What is over the land on a date.

    Attributes
    ----------
    cloud : float32, (y, x)
        Opacity of cumulus, 0..1.
    cirrus : float32, (y, x)
        Opacity of cirrus, 0..1.
    shadow : float32, (y, x)
        Share of the direct light that a cloud takes away, 0..1.
    glow : float32, (y, x)
        Brightness of the clouds' tops, about 1.
    seen : bool, (y, x)
        True inside the swath.
    """

    cloud: Floats
    cirrus: Floats
    shadow: Floats
    glow: Floats
    seen: NDArray[np.bool_]


def make_sky(
    size: int, weather: Weather, sun: tuple[float, float], rng: np.random.Generator
) -> Sky:
    """Draw the sky of a date.

    Parameters
    ----------
    size : int
        Cells along a side.
    weather : Weather
    sun : (float, float)
        Zenith angle and azimuth (from north over east) in degrees.
    rng : numpy.random.Generator

    Returns
    -------
    Sky

    Examples
    --------
    >>> sky = make_sky(24, Weather(cloud=0.3), (40.0, 155.0), np.random.default_rng(1))
    >>> bool(sky.cloud.max() > 0.5), float(sky.cirrus.max()), bool(sky.seen.all())
    (True, 0.0, True)
    """
    billow = fractal(size, rng, slope=1.7, coarsest=3)
    cloud = _cumulus(billow, weather.cloud)
    streak = fractal(size, rng, slope=1.7, coarsest=1, stretch=(1.7, 0.6), turn=0.6)
    cirrus = weather.cirrus * smoothstep(-0.6, 2.6, streak)
    zenith, azimuth = np.radians(sun)
    reach = 0.085 * np.tan(zenith) * size
    shift = (round(reach * np.cos(azimuth)), round(-reach * np.sin(azimuth)))
    shadow = np.roll(cloud, shift, axis=(0, 1)) * (1 - cloud)
    glow = 0.62 + 0.42 * smoothstep(0.2, 1.0, cloud) + 0.06 * billow * cloud
    u, v = positions(size)
    seen = u * 1.0 + v * 0.26 >= weather.swath if weather.swath else np.ones_like(u, np.bool_)
    return Sky(cloud, cirrus, shadow.astype(np.float32), glow.astype(np.float32), seen)


def _cumulus(billow: Floats, cover: float) -> Floats:
    """Opacity of clouds that cover that share of the scene."""
    if cover <= 0:
        return np.zeros_like(billow)
    base = float(np.quantile(billow, 1 - cover))
    thickness = np.clip(billow - base, 0, None)
    return np.asarray(1 - np.exp(-2.4 * thickness), np.float32)


def haze_in(wavelength: float, haze: float) -> float:
    """Path reflectance left over at a wavelength: it falls with its fourth power, softened.

    Parameters
    ----------
    wavelength : float
        Nanometres.
    haze : float
        Path reflectance at 490 nm.

    Examples
    --------
    >>> haze_in(490, 0.01) > haze_in(830, 0.01)
    True
    """
    return float(haze * (490 / wavelength) ** 2.2)
