"""The land under the simulated scenes: parcels, forest, lake, river, villages and roads.

It does not change with the date; `services.demo.season` gives it leaves and crops.
All lengths are fractions of the scene's side, so that a small scene holds the same things.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from services.demo.noise import (
    Cells,
    Floats,
    Ints,
    cells,
    fractal,
    positions,
    smoothstep,
    uniform_of,
)


class Cover(IntEnum):
    """Use of the land."""

    WHEAT = 0
    BARLEY = 1
    RAPESEED = 2
    MAIZE = 3
    BEET = 4
    GRASS = 5
    BROADLEAF = 6
    CONIFER = 7
    WATER = 8
    GRAVEL = 9
    BUILT = 10
    ROAD = 11
    HALL = 12


_CROP_SHARES = np.cumsum((0.25, 0.11, 0.14, 0.24, 0.06))  # the rest is grass
_LAKE_CENTRE = (0.235, 0.655)
_TOWNS = (  # u, v, radius
    (0.715, 0.315, 0.085),
    (0.155, 0.235, 0.032),
    (0.430, 0.130, 0.024),
    (0.405, 0.480, 0.036),
    (0.885, 0.640, 0.030),
    (0.640, 0.850, 0.034),
    (0.905, 0.120, 0.022),
    (0.395, 0.800, 0.026),
    (0.080, 0.870, 0.020),
)
_ROADS = ((0, 3), (0, 4), (0, 6), (0, 2), (1, 2), (3, 1), (3, 7), (7, 5), (5, 4), (7, 8))


@dataclass(frozen=True, slots=True)
class Landscape:
    """What lies where.

    Attributes
    ----------
    cover : uint8, (y, x)
        Values of `Cover`.
    parcel : int64, (y, x)
        Key of the parcel: equal within a field.
    depth : float32, (y, x)
        Of water: 0 at the shore, 1 in the deep.
    relief : float32, (y, x)
        Brightness by slope, about 1.
    soil : float32, (y, x)
        Pale soil's share, 0..1.
    grain : float32, (y, x)
        Fine texture, mean 0, standard deviation 1.
    edge : float32, (y, x)
        1 on a parcel's margin, 0 in its middle.
    """

    cover: NDArray[np.uint8]
    parcel: Ints
    depth: Floats
    relief: Floats
    soil: Floats
    grain: Floats
    edge: Floats


def make_landscape(size: int, seed: int) -> Landscape:
    """Draw the land.

    Parameters
    ----------
    size : int
        Cells along a side.
    seed : int
        The same seed and size give the same land.

    Returns
    -------
    Landscape

    Examples
    --------
    >>> land = make_landscape(60, seed=5)
    >>> land.cover.shape, str(land.cover.dtype), bool((land.cover == Cover.WATER).any())
    ((60, 60), 'uint8', True)
    """
    rng = np.random.default_rng([seed, 1])
    u, v = positions(size)
    broad = fractal(size, rng, slope=2.2, coarsest=2, finest=40)
    sway = 0.006 * fractal(size, rng, slope=2.4, coarsest=1.5, finest=24)
    relief = _relief(size, rng)
    grain = fractal(size, rng, slope=0.55, coarsest=size / 30)
    parcels = _parcels(u + sway, v - sway, seed)
    cover = _fields(parcels.key, seed)
    ragged = fractal(size, rng, slope=1.5, coarsest=6, finest=160)
    density = _density(u, v, 0.24 * broad + 0.20 * ragged)
    cover = _forest(cover, parcels, broad, 0.25 + 0.18 * ragged, _clearing(u, v), seed)
    cover = _tracks(cover, parcels, size)
    cover = _built(cover, u, v, density, seed)
    cover = _roads(cover, u + 0.5 * sway, v + 0.5 * sway, size)
    cover, depth = _water(cover, u, v, broad, size)
    soil = uniform_of(parcels.key, seed + 71) * 0.55 + 0.25 + 0.14 * broad + 0.08 * grain
    return Landscape(
        cover=cover.astype(np.uint8),
        parcel=parcels.key,
        depth=depth,
        relief=relief,
        soil=np.clip(soil, 0, 1).astype(np.float32),
        grain=grain,
        edge=smoothstep(1.2 / size, 0.0, parcels.border),
    )


def _relief(size: int, rng: np.random.Generator) -> Floats:
    """Shading of gentle hills by a sun in the south-east."""
    height = fractal(size, rng, slope=2.3, coarsest=2, finest=90)
    south, east = np.gradient(height)
    slope = -(south + east) * size / 110
    return np.asarray(np.clip(1 + 0.055 * slope, 0.75, 1.25), np.float32)


def _parcels(u: Floats, v: Floats, seed: int) -> Cells:
    """Blocks of land, each cut into strips of its own direction, width and length."""
    block = cells(u, v, 13, seed + 11)
    turned = np.where(uniform_of(block.key, seed + 17) < 0.42, np.pi / 2, 0)
    angle = 0.45 + 0.8 * (uniform_of(block.key, seed + 13) - 0.5) + turned
    width = 0.0075 + 0.012 * uniform_of(block.key, seed + 14) ** 1.5
    length = 0.026 + 0.036 * uniform_of(block.key, seed + 15)
    across = (u * np.cos(angle) + v * np.sin(angle)) / width
    strip = np.floor(across).astype(np.int64)
    lane = block.key * 4096 + strip + 2048
    along = (v * np.cos(angle) - u * np.sin(angle)) / length + uniform_of(lane, seed + 16)
    piece = np.floor(along).astype(np.int64)
    border = np.minimum(_to_border(across) * width, _to_border(along) * length)
    key = lane * 4096 + piece + 2048
    return Cells(key, np.minimum(border, block.border).astype(np.float32))


def _to_border(coordinate: Floats) -> Floats:
    """Distance of each coordinate to the next whole number."""
    part = coordinate - np.floor(coordinate)
    return np.minimum(part, 1 - part).astype(np.float32)


def _fields(parcel: Ints, seed: int) -> Ints:
    """A crop for each parcel."""
    return np.searchsorted(_CROP_SHARES, uniform_of(parcel, seed + 21)).astype(np.int64)


def _forest(
    cover: Ints, parcels: Cells, broad: Floats, stand: Floats, clearing: Floats, seed: int
) -> Ints:
    """Woods where the broad noise is high: straight along parcels, ragged within."""
    names, inverse = np.unique(parcels.key, return_inverse=True)
    flat = inverse.ravel()
    mean = np.bincount(flat, broad.ravel(), len(names)) / np.bincount(flat, minlength=len(names))
    even = mean[inverse.reshape(broad.shape)]
    level = 0.72 * even + 0.28 * broad - clearing
    wood = (level > 0.62) | ((uniform_of(parcels.key, seed + 32) < 0.018) & (clearing < 0.2))
    conifer = uniform_of(parcels.key, seed + 31) * 0.5 + stand < 0.48
    return np.where(wood, np.where(conifer, Cover.CONIFER, Cover.BROADLEAF), cover)


def _tracks(cover: Ints, parcels: Cells, size: int) -> Ints:
    """Hedges of trees along some parcels."""
    hedge = (parcels.border < 0.45 / size) & (uniform_of(parcels.key, 97) < 0.10)
    field = cover <= Cover.GRASS
    return np.where(hedge & field, Cover.BROADLEAF, cover)


def _density(u: Floats, v: Floats, noise: Floats) -> Floats:
    """How densely built: 1 in the middle of a place, 0 in the open country."""
    density = np.zeros(u.shape, np.float32)
    for x, y, radius in _TOWNS:
        distance = np.hypot(u - x, v - y) / radius
        density = np.maximum(density, smoothstep(1.15, 0.15, distance + noise))
    return density


def _clearing(u: Floats, v: Floats) -> Floats:
    """Where places have cleared the woods around them: 1 within, 0 far away."""
    cleared = np.zeros(u.shape, np.float32)
    for x, y, radius in _TOWNS:
        distance = np.hypot(u - x, v - y) / radius
        cleared = np.maximum(cleared, smoothstep(2.6, 1.1, distance))
    return cleared * 2


def _built(cover: Ints, u: Floats, v: Floats, density: Floats, seed: int) -> Ints:
    """A town and villages: streets, houses on lots, gardens at the rim, halls."""
    quarter = cells(u, v, 34, seed + 43)
    angle = np.pi / 2 * uniform_of(quarter.key, seed + 44)
    x = (u * np.cos(angle) + v * np.sin(angle)) * 115
    y = (v * np.cos(angle) - u * np.sin(angle)) * 78
    street = np.minimum(_to_border(x) / 115, _to_border(y) / 78) < 0.00045
    lot = np.floor(x * 7).astype(np.int64) * 8192 + np.floor(y * 9).astype(np.int64)
    house = uniform_of(lot + quarter.key, seed + 42) < 0.22 + 0.6 * density
    within = density > 0.12
    halls = (uniform_of(quarter.key, seed + 45) < 0.12) & (density > 0.06) & (density < 0.7)
    large = np.floor(x * 1.5).astype(np.int64) * 8192 + np.floor(y * 1.5).astype(np.int64)
    hall = halls & (uniform_of(large + quarter.key, seed + 46) < 0.5)
    garden = np.where(uniform_of(lot, seed + 47) < 0.45, Cover.BROADLEAF, Cover.GRASS)
    cover = np.where(within | halls, garden, cover)
    cover = np.where(within & house, Cover.BUILT, cover)
    cover = np.where(hall, Cover.HALL, cover)
    return np.where((within & street & (density > 0.25)) | (halls & street), Cover.ROAD, cover)


def _roads(cover: Ints, u: Floats, v: Floats, size: int) -> Ints:
    """Roads between the places, and a wider one across the scene."""
    half = max(0.0005, 0.55 / size)
    for start, end in _ROADS:
        near = _distance(u, v, _TOWNS[start][:2], _TOWNS[end][:2]) < half
        cover = np.where(near, Cover.ROAD, cover)
    through = np.abs(v - (0.40 + 0.09 * np.sin(2.6 * u + 0.4))) < 1.3 * half
    return np.where(through, Cover.ROAD, cover)


def _distance(u: Floats, v: Floats, start: tuple[float, float], end: tuple[float, float]) -> Floats:
    """Distance to a straight piece of road."""
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv).astype(np.float32)


def _water(cover: Ints, u: Floats, v: Floats, broad: Floats, size: int) -> tuple[Ints, Floats]:
    """A long lake and a river in its gravel bed, with trees on its banks."""
    course = 0.545 + 0.035 * np.sin(8.5 * v + 0.7) + 0.016 * np.sin(23 * v) + 0.006 * np.sin(61 * v)
    bend = 0.30 * np.cos(8.5 * v + 0.7) + 0.37 * np.cos(23 * v) + 0.37 * np.cos(61 * v)
    off = np.abs(u - course) / np.hypot(1, bend)
    wide = 0.0032 + 0.0012 * np.sin(37 * v) + 0.5 / size
    cover = np.where(off < 3.2 * wide + 0.003 * broad, Cover.BROADLEAF, cover)
    bank = off < wide * (1.15 + 0.5 * np.sin(53 * v + 9 * (u > course)) + 0.35 * broad)
    cover = np.where(bank, Cover.GRAVEL, cover)
    river = off < wide
    tilt = 0.22
    x = (u - _LAKE_CENTRE[0]) + tilt * (v - _LAKE_CENTRE[1])
    y = (v - _LAKE_CENTRE[1]) - tilt * (u - _LAKE_CENTRE[0])
    side = np.where(x > 0, 2.3, 0.0)
    shore = 1 + 0.12 * np.sin(5 * y / 0.165 + side) + 0.05 * np.sin(17 * y / 0.165 + 3 * side)
    inside = 1 - np.hypot(x / (0.062 * shore), y / 0.165) - 0.08 * broad
    lake = inside > 0
    depth = np.where(lake, smoothstep(0.0, 0.22, inside), 0.12).astype(np.float32)
    reeds = (inside > -0.05) & ~lake & (broad > 0.1)
    cover = np.where(reeds, Cover.BROADLEAF, cover)
    return np.where(lake | river, Cover.WATER, cover), depth
