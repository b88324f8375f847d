"""The year on the land: what each cover is made of on a given day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.demo.landscape import Cover, Landscape
from services.demo.noise import Floats, uniform_of
from services.demo.spectra import Material, material_reflectance


@dataclass(frozen=True, slots=True)
class Growth:
    """The year of a crop, in days of the year.

    Attributes
    ----------
    up : float
        Day on which half of the ground is covered.
    ripe : float
        Day on which half of the leaves are yellow.
    cut : float
        Day of the harvest.
    pace : float
        Days in which the cover rises from 27 to 73 percent, halved.
    blossom : float or None
        Day of full blossom.
    """

    up: float
    ripe: float
    cut: float
    pace: float
    blossom: float | None = None


GROWTH: dict[Cover, Growth] = {
    Cover.WHEAT: Growth(82, 186, 210, 11),
    Cover.BARLEY: Growth(78, 168, 192, 10),
    Cover.RAPESEED: Growth(72, 178, 204, 12, blossom=128),
    Cover.MAIZE: Growth(164, 262, 278, 9),
    Cover.BEET: Growth(158, 300, 320, 10),
}


def green_share(growth: Growth, day: float | Floats) -> Floats:
    """Share of the ground under green leaves.

    Parameters
    ----------
    growth : Growth
    day : float or float32 array
        Day of the year, shifted by the parcel's own earliness.

    Returns
    -------
    float32, shape of ``day``
        0..1.

    Examples
    --------
    >>> wheat = GROWTH[Cover.WHEAT]
    >>> [round(float(green_share(wheat, day)), 1) for day in (40, 140, 230)]
    [0.0, 1.0, 0.0]
    """
    when = np.asarray(day, np.float32)
    rise = 1 / (1 + np.exp(-(when - growth.up) / growth.pace))
    fall = 1 / (1 + np.exp((when - growth.ripe) / 6))
    return np.where(when > growth.cut, 0, rise * fall).astype(np.float32)


def shares(land: Landscape, day: int, seed: int) -> Floats:
    """What the cells are made of on a day.

    Parameters
    ----------
    land : Landscape
    day : int
        Day of the year, 1..366.
    seed : int
        Seed of the parcels' own earliness.

    Returns
    -------
    float32, (material, y, x)
        Shares of each `Material`, 0..1, summing to 1.

    Examples
    --------
    >>> from services.demo.landscape import make_landscape
    >>> made = shares(make_landscape(24, seed=5), day=150, seed=5)
    >>> made.shape, bool(np.allclose(made.sum(axis=0), 1, atol=1e-4))
    ((15, 24, 24), True)
    """
    made = np.zeros((len(Material), *land.cover.shape), np.float32)
    _crops(made, land, day, seed)
    _grass(made, land, day, seed)
    _trees(made, land, day)
    _still(made, land, seed)
    return made


def surface_reflectance(land: Landscape, made: Floats, band: str) -> Floats:
    """Reflectance of the ground without atmosphere, clouds or noise.

    Parameters
    ----------
    land : Landscape
    made : float32, (material, y, x)
        From `shares`.
    band : str
        A band's name: ``B08``.

    Returns
    -------
    float32, (y, x)
        Dimensionless.
    """
    mixed = np.tensordot(material_reflectance(band), made, axes=1)
    water = land.cover == Cover.WATER
    built = (land.cover == Cover.BUILT) | (land.cover == Cover.HALL)
    wood = (land.cover == Cover.CONIFER) | (land.cover == Cover.BROADLEAF)
    contrast = np.select([water, built, wood], [0.02, 0.20, 0.17], 0.035)
    texture = np.clip(1 + contrast * land.grain, 0.45, 1.7) * np.where(water, 1, land.relief)
    margin = 1 - 0.10 * land.edge * (land.cover <= Cover.GRASS)
    return (mixed * texture * margin).astype(np.float32)


def _crops(made: Floats, land: Landscape, day: int, seed: int) -> None:
    """Soil, leaves, straw and blossom of the fields."""
    early = 18 * (uniform_of(land.parcel, seed + 51) - 0.5) + 2.5 * land.grain
    vigour = 0.74 + 0.24 * uniform_of(land.parcel, seed + 52) + 0.02 * land.grain
    regrown = uniform_of(land.parcel, seed + 53) < 0.35
    for cover, growth in GROWTH.items():
        here = land.cover == cover
        when = day + early[here]
        green = green_share(growth, when) * np.clip(vigour[here], 0, 1)
        straw = (1 / (1 + np.exp(-(when - growth.ripe) / 6))) * 0.92
        straw = np.where(
            when > growth.cut, np.clip(0.75 - (when - growth.cut) / 55, 0.12, 1), straw
        )
        after = np.clip((when - growth.cut - 12) / 40, 0, 0.7) * regrown[here]
        green = np.maximum(green, after)
        straw = np.minimum(straw, 1 - green)
        flower = _flower(growth, when) * green
        _soil(made, here, land.soil[here], 1 - green - straw)
        made[Material.CROP][here] = green - flower
        made[Material.BLOSSOM][here] = flower
        made[Material.RIPE][here] = straw


def _flower(growth: Growth, when: Floats) -> Floats:
    """Share of the leaves that is hidden by blossom."""
    if growth.blossom is None:
        return np.zeros_like(when)
    return (0.9 * np.exp(-(((when - growth.blossom) / 13) ** 2))).astype(np.float32)


def _soil(made: Floats, here: NDArray[np.bool_], pale: Floats, bare: Floats) -> None:
    made[Material.PALE_SOIL][here] = bare * pale
    made[Material.DARK_SOIL][here] = bare * (1 - pale)


def _grass(made: Floats, land: Landscape, day: int, seed: int) -> None:
    """Meadows, mown in turns: paler for some weeks after each cut."""
    here = land.cover == Cover.GRASS
    phase = (day - 130 + 40 * uniform_of(land.parcel, seed + 61)[here]) / 44
    mown = np.where(phase > 0, np.clip(1 - 1.6 * (phase - np.floor(phase)), 0, 1), 0)
    spring = 1 / (1 + np.exp(-(day - 88) / 9))
    drought = 0.16 * np.exp(-(((day - 222) / 30) ** 2)) * land.soil[here]
    green = np.clip(0.55 + 0.42 * spring - 0.38 * mown - drought + 0.02 * land.grain[here], 0, 1)
    made[Material.GRASS][here] = green
    made[Material.RIPE][here] = (1 - green) * 0.7
    _soil(made, here, land.soil[here], (1 - green) * 0.3)


def _trees(made: Floats, land: Landscape, day: int) -> None:
    """Broadleaf woods turn green in late April and pale in autumn; conifers stay."""
    leaves = 1 / (1 + np.exp(-(day - 114) / 6)) / (1 + np.exp((day - 291) / 8))
    here = land.cover == Cover.BROADLEAF
    made[Material.BROADLEAF][here] = leaves
    made[Material.BARE_TREES][here] = 1 - leaves
    here = land.cover == Cover.CONIFER
    mixed = np.clip(0.16 + 0.10 * land.grain[here], 0, 0.5)
    made[Material.CONIFER][here] = 1 - mixed
    made[Material.BROADLEAF][here] = mixed * leaves
    made[Material.BARE_TREES][here] = mixed * (1 - leaves)


def _still(made: Floats, land: Landscape, seed: int) -> None:
    """Water, gravel, roofs and roads: the same all year."""
    water = land.cover == Cover.WATER
    made[Material.LAKE][water] = land.depth[water]
    made[Material.SHALLOWS][water] = 1 - land.depth[water]
    made[Material.GRAVEL][land.cover == Cover.GRAVEL] = 1
    road = land.cover == Cover.ROAD
    made[Material.ASPHALT][road] = 0.75
    made[Material.GRASS][road] = 0.25
    built = land.cover == Cover.BUILT
    kind = uniform_of(np.floor(land.grain[built] * 40).astype(np.int64), seed + 81)
    made[Material.ROOF_TILE][built] = np.where(kind < 0.66, 0.5, 0.1)
    made[Material.ROOF_PALE][built] = np.where(kind > 0.90, 0.5, 0.03)
    rest = 1 - made[Material.ROOF_TILE][built] - made[Material.ROOF_PALE][built]
    made[Material.ASPHALT][built] = rest * 0.6
    made[Material.BROADLEAF][built] = rest * 0.4
    hall = land.cover == Cover.HALL
    made[Material.ROOF_PALE][hall] = 0.7
    made[Material.ASPHALT][hall] = 0.3
