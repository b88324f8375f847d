"""Textures of the simulated landscape: spectral noise, hashed numbers, cellular patterns.

Everything is a function of a seed and an array of positions, vectorised, without state.
Positions are fractions of the scene's side: ``u`` from the west, ``v`` from the north.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def positions(size: int) -> tuple[Floats, Floats]:
    """Cell centres of a square scene as fractions of its side.

    Parameters
    ----------
    size : int
        Cells along a side.

    Returns
    -------
    u, v : float32, (y, x)
        Fraction from the west and from the north.

    Examples
    --------
    >>> u, v = positions(2)
    >>> u.tolist(), v.tolist()
    ([[0.25, 0.75], [0.25, 0.75]], [[0.25, 0.25], [0.75, 0.75]])
    """
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    v, u = np.meshgrid(centres, centres, indexing="ij")
    return u, v


def fractal(
    size: int,
    rng: np.random.Generator,
    *,
    slope: float,
    coarsest: float = 1.0,
    finest: float = np.inf,
    stretch: tuple[float, float] = (1.0, 1.0),
    turn: float = 0.0,
) -> Floats:
    """Periodic Gaussian noise with a power-law spectrum.

    Parameters
    ----------
    size : int
        Cells along a side.
    rng : numpy.random.Generator
        Source of the phases.
    slope : float
        Amplitude falls as frequency to the power of minus ``slope``: 0 is white, 2 is smooth.
    coarsest, finest : float
        Waves per scene side outside this range are left out.
    stretch : (float, float)
        Factors on the two frequencies; (4, 1) makes streaks four times as long as wide.
    turn : float
        Angle of the streaks in radians.

    Returns
    -------
    float32, (y, x)
        Mean 0, standard deviation 1.

    Examples
    --------
    >>> noise = fractal(16, np.random.default_rng(1), slope=1.5)
    >>> noise.shape, round(float(abs(noise.mean())), 5), round(float(noise.std()), 5)
    ((16, 16), 0.0, 1.0)
    """
    x = np.fft.rfftfreq(size, 1.0 / size)[None, :]
    y = np.fft.fftfreq(size, 1.0 / size)[:, None]
    first = (x * np.cos(turn) + y * np.sin(turn)) * stretch[0]
    second = (y * np.cos(turn) - x * np.sin(turn)) * stretch[1]
    frequency = np.hypot(first, second)
    kept = (frequency >= coarsest) & (frequency <= finest) & (frequency > 0)
    amplitude = np.where(kept, np.where(kept, frequency, 1.0) ** -slope, 0.0)
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    noise = np.fft.irfft2(spectrum * amplitude, s=(size, size))
    noise -= noise.mean()
    spread = float(noise.std())
    return (noise / (spread or 1.0)).astype(np.float32)


def uniform_of(key: Ints, salt: int) -> Floats:
    """A number in [0, 1) for each integer key: equal keys get equal numbers.

    Parameters
    ----------
    key : int64, any shape
    salt : int
        Another salt gives independent numbers.

    Returns
    -------
    float32, shape of ``key``

    Examples
    --------
    >>> a = uniform_of(np.array([7, 8, 7]), salt=1)
    >>> bool(a[0] == a[2]), bool(a[0] == a[1]), bool((a >= 0).all() and (a < 1).all())
    (True, False, True)
    """
    with np.errstate(over="ignore"):
        mixed = key.astype(np.uint64) + np.uint64(salt) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(40)).astype(np.float32)) / np.float32(1 << 24)


@dataclass(frozen=True, slots=True)
class Cells:
    """A cellular pattern: for each position the cell it lies in and how far its border is.

    Attributes
    ----------
    key : int64, (y, x)
        Number of the cell.
    border : float32, (y, x)
        Distance to the border with the next cell, as a fraction of the scene.
    """

    key: Ints
    border: Floats


def cells(u: Floats, v: Floats, count: int, salt: int) -> Cells:
    """Divide the scene among jittered points: each position belongs to the nearest.

    Parameters
    ----------
    u, v : float32, (y, x)
        Positions, warped at will.
    count : int
        Points along a side.
    salt : int
        Seed of the jitter.

    Returns
    -------
    Cells

    Examples
    --------
    >>> found = cells(*positions(8), count=2, salt=3)
    >>> found.key.shape, bool((found.border >= 0).all())
    ((8, 8), True)
    """
    column, row = np.floor(u * count).astype(np.int64), np.floor(v * count).astype(np.int64)
    nearest = np.full(u.shape, np.inf, np.float32)
    second = np.full(u.shape, np.inf, np.float32)
    key = np.zeros(u.shape, np.int64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            candidate = (row + dy + 4096) * 16384 + column + dx + 4096
            x = (column + dx + 0.15 + 0.7 * uniform_of(candidate, salt)) / count
            y = (row + dy + 0.15 + 0.7 * uniform_of(candidate, salt + 1)) / count
            distance = np.hypot(u - x, v - y).astype(np.float32)
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest = np.where(closer, distance, nearest)
            key = np.where(closer, candidate, key)
    return Cells(key, np.asarray((second - nearest) / 2, np.float32))


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Rise from 0 below ``low`` to 1 above ``high``; falls where ``low > high``.

    Examples
    --------
    >>> smoothstep(0.0, 1.0, np.array([-1.0, 0.5, 2.0], np.float32)).tolist()
    [0.0, 0.5, 1.0]
    """
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
