"""Bands of the multispectral instrument and the reflectance of the simulated materials in them.

The reflectances are typical values rounded to two or three digits, chosen for a plausible picture;
they are not a spectral library.
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Band:
    """A band of the product.

    Attributes
    ----------
    name : str
        As in the file name: ``B8A``.
    number : int
        ``band_id`` of the product metadata.
    physical : str
        Name in the spectral information: ``B8A``, ``B1``.
    resolution : int
        Nominal cell size in metres.
    centre : float
        Central wavelength in nanometres.
    low, high : int
        Wavelength range in nanometres.
    """

    name: str
    number: int
    physical: str
    resolution: int
    centre: float
    low: int
    high: int


BANDS: tuple[Band, ...] = (
    Band("B01", 0, "B1", 60, 442.7, 412, 456),
    Band("B02", 1, "B2", 10, 492.7, 456, 533),
    Band("B03", 2, "B3", 10, 559.8, 538, 583),
    Band("B04", 3, "B4", 10, 664.6, 646, 684),
    Band("B05", 4, "B5", 20, 704.1, 695, 714),
    Band("B06", 5, "B6", 20, 740.5, 731, 749),
    Band("B07", 6, "B7", 20, 782.8, 769, 797),
    Band("B08", 7, "B8", 10, 832.8, 760, 907),
    Band("B8A", 8, "B8A", 20, 864.7, 837, 881),
    Band("B09", 9, "B9", 60, 945.1, 932, 958),
    Band("B11", 11, "B11", 20, 1613.7, 1539, 1682),
    Band("B12", 12, "B12", 20, 2202.4, 2078, 2320),
)


class Material(IntEnum):
    """What a cell of the landscape is made of."""

    PALE_SOIL = 0
    DARK_SOIL = 1
    CROP = 2
    RIPE = 3
    BLOSSOM = 4
    GRASS = 5
    BROADLEAF = 6
    BARE_TREES = 7
    CONIFER = 8
    LAKE = 9
    SHALLOWS = 10
    GRAVEL = 11
    ROOF_TILE = 12
    ROOF_PALE = 13
    ASPHALT = 14


# Reflectance in thousandths.
_TABLE = """\
             B01  B02  B03  B04  B05  B06  B07  B08  B8A  B09  B11  B12
PALE_SOIL     85  105  145  190  215  235  255  270  285  290  345  295
DARK_SOIL     45   55   78  102  120  135  148  160  172  180  235  200
CROP          18   24   56   26   92  330  430  465  480  490  190   85
RIPE          70   92  148  196  225  260  290  315  335  340  370  260
BLOSSOM       30   45  150  125  200  360  430  460  475  480  225  115
GRASS         22   32   68   40  110  290  360  390  405  410  215  110
BROADLEAF     14   19   42   22   70  260  335  360  375  380  165   70
BARE_TREES    30   37   50   62   82  125  145  160  172  180  190  125
CONIFER       12   16   27   17   40  135  175  195  205  210   90   40
LAKE          26   28   30   13    9    6    5    5    4    4    3    2
SHALLOWS      48   62   82   46   34   20   17   16   14   13    8    5
GRAVEL       150  180  215  240  255  270  280  290  300  300  310  280
ROOF_TILE     62   76   98  160  190  215  230  245  255  260  290  240
ROOF_PALE    200  235  255  270  275  285  290  300  305  310  320  290
ASPHALT       72   84   96  106  114  122  130  138  145  150  175  160
CLOUD        930  940  930  950  970  990 1000 1010 1010  800  620  460
"""

SCENE_CLASSES = MappingProxyType(
    {
        0: "NO_DATA",
        1: "SATURATED_OR_DEFECTIVE",
        2: "DARK_AREA",
        3: "CLOUD_SHADOW",
        4: "VEGETATION",
        5: "NOT_VEGETATED",
        6: "WATER",
        7: "UNCLASSIFIED",
        8: "CLOUD_MEDIUM_PROBABILITY",
        9: "CLOUD_HIGH_PROBABILITY",
        10: "THIN_CIRRUS",
        11: "SNOW_ICE",
    }
)


def material_reflectance(name: str) -> Floats:
    """Reflectance of every material in a band.

    Parameters
    ----------
    name : str
        A band of `BANDS`.

    Returns
    -------
    float32, (material,)
        Dimensionless, in the order of `Material`.

    Examples
    --------
    >>> red, nir = material_reflectance("B04"), material_reflectance("B08")
    >>> ndvi = (nir - red) / (nir + red)
    >>> bool(ndvi[Material.CROP] > 0.85), bool(ndvi[Material.LAKE] < 0)
    (True, True)
    """
    column = _column(name)
    return np.array([column[material.name] for material in Material], np.float32)


def cloud_reflectance(name: str) -> float:
    """Reflectance of an opaque cloud in a band, dimensionless.

    Examples
    --------
    >>> cloud_reflectance("B11") < cloud_reflectance("B04")
    True
    """
    return _column(name)["CLOUD"]


def _column(name: str) -> dict[str, float]:
    """A band's reflectance by the name of the material."""
    head, *rows = (line.split() for line in _TABLE.splitlines())
    place = head.index(name) + 1
    return {row[0]: int(row[place]) / 1000 for row in rows}
