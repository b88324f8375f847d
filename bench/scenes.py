"""The seeded fields: a sea surface, a farmed landscape under clouds, an ocean model."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SEED = 20_260_101
SST_NIL = -32768
SST_SCALE = 0.01  # degrees Celsius
S2_NIL = 0
S2_SCALE = 1e-4  # reflectance
BANDS = ("B02", "B03", "B04", "B08")
OCEAN_FIELDS = ("temperature", "u", "v")
_ROWS = 1024

type Rows = Iterator[tuple[slice, NDArray[np.float32]]]


def smooth(height: int, width: int, nodes: int, seed: int) -> Rows:
    """Random values at nodes, linear between them, a strip of rows at a time; about 0 ± 1."""
    rng = np.random.default_rng((SEED, seed))
    net = rng.standard_normal((nodes, 2 * nodes)).astype(np.float32)
    across = _weights(width, net.shape[1]).T
    down = _weights(height, nodes)
    for top in range(0, height, _ROWS):
        rows = slice(top, min(top + _ROWS, height))
        part = ((down[rows] @ net) @ across).astype(np.float32, copy=False)
        yield rows, part


def surface(height: int, width: int, nodes: int, seed: int) -> NDArray[np.float32]:
    """The same as one array."""
    whole = np.empty((height, width), np.float32)
    for rows, part in smooth(height, width, nodes, seed):
        whole[rows] = part
    return whole


def land(height: int, width: int) -> NDArray[np.bool_]:
    """Where there is land: about a third of the globe."""
    shape = surface(height, width, 12, 1)
    shape += 0.4 * surface(height, width, 96, 2)
    return shape > 0.45


def sst_day(day: int, height: int, width: int, mask: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Packed temperature of one day; int16, (lat, lon), in hundredths of a degree Celsius."""
    rng = np.random.default_rng((SEED, 3, day))
    latitude = np.linspace(np.pi / 2, -np.pi / 2, height, dtype=np.float32)
    values = np.broadcast_to((29 * np.cos(latitude) ** 2)[:, np.newaxis], (height, width)).copy()
    values += 1.5 * surface(height, width, 24, 4)
    values += 0.5 * surface(height, width, 24, 100 + day)
    values *= 100
    packed = values.astype(np.int16)
    packed += rng.integers(-8, 9, (height, width), dtype=np.int16)
    packed[mask] = SST_NIL
    return packed


def s2_date(date: int, side: int) -> dict[str, NDArray[np.uint16]]:
    """Bands of one date; uint16, (y, x), 1 … 10,000 reflectance, 0 beyond the swath's edge."""
    texture = np.zeros((side, side), np.float32)
    for octave, nodes in enumerate((6, 24, 96, 384)):
        texture += surface(side, side, nodes, 10 + octave) * 0.6**octave
    rng = np.random.default_rng((SEED, 20, date))
    crops = np.random.default_rng((SEED, 21)).random((side // 40 + 1, side // 25 + 1))
    green = np.repeat(np.repeat(crops.astype(np.float32), 40, 0), 25, 1)[:side, :side]
    cloud = surface(side, side, 9, 30 + date) > 1.1
    edge = np.arange(side)[np.newaxis, :] < (np.arange(side)[:, np.newaxis] // 12)
    base = {"B02": (600, -150), "B03": (800, 50), "B04": (1100, -700), "B08": (2200, 2300)}
    bands = {}
    for name, (level, crop) in base.items():
        values = texture * (0.18 * level)
        values += level
        values += green * crop
        values += rng.standard_normal((side, side), dtype=np.float32) * (0.04 * level)
        values[cloud] = 10_000
        np.clip(values, 1, 10_000, out=values)
        values[edge] = S2_NIL
        bands[name] = values.astype(np.uint16)
    return bands


def ocean_step(
    step: int, field: int, levels: int, height: int, width: int, mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """One field of one step; float32, (depth, lat, lon), NaN on land."""
    fine = surface(height, width, 40, 40 + field)
    slow = surface(height, width, 12, 50 + 10 * step + field)
    depth = np.linspace(1.0, 0.1, levels, dtype=np.float32)[:, np.newaxis, np.newaxis]
    values = (fine + slow)[np.newaxis] * depth
    values[:, mask] = np.nan
    return values


def _weights(size: int, nodes: int) -> NDArray[np.float32]:
    """Linear interpolation from nodes to cells; float32, (size, nodes)."""
    at = (np.arange(size) + 0.5) * (nodes - 1) / size
    left = np.minimum(at.astype(int), nodes - 2)
    weights = np.zeros((size, nodes), np.float32)
    weights[np.arange(size), left] = 1 - (at - left)
    weights[np.arange(size), left + 1] = at - left
    return weights
