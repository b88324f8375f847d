"""Source cells -> target pixels, by ten methods that know of missing cells.

==============  ==========================================================  =====================
method          value                                                       valid where
==============  ==========================================================  =====================
``nearest``     the cell that holds the pixel's centre                      that cell is valid
``bilinear``    the four cells around the centre, weights renormalised      the cell that holds
                over the valid ones                                         the centre is valid
``cubic``       sixteen cells, Catmull-Rom (a = -0.5); bilinear where one   the same
                of them is missing or beyond the edge
``average``     valid cells under the pixel by the area they share          a cell is valid
``mode``        the value with the largest area; of equal ones the one      the same
                whose area is complete first, row by row
``min, max``    of the valid cells under the pixel, however small a part    the same
``med, q1, q3`` the value at rank ceil(q n) of the n valid cells, so always the same
                one that occurs
==============  ==========================================================  =====================

These are GDAL's definitions. Differences: GDAL widens the kernels of bilinear and cubic where the
target is coarser than the source (here an overview is read instead); under a rotated pixel it
takes the box of two corners, here of four; and its mode weighs 8 and 16 bit integers only.

A pixel's value depends on the cells it looks at and on nothing else of the window, to the bit.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from datacube.model.query import Interpolation
from datacube.slicing.area import area
from datacube.slicing.footprint import Footprint
from datacube.slicing.kernels import bilinear, cubic, nearest
from datacube.slicing.warp import PixelPositions, Positions, SeparablePositions

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
type Values = tuple[NDArray[np.generic], BoolArray]

_BAND = 1 << 16
_PIXEL_BAND = 1 << 14


def resample(
    method: Interpolation,
    data: NDArray[np.generic],
    valid: BoolArray,
    found: Positions,
    *,
    wraps: bool = False,
) -> Values:
    """Values of the target's pixels.

    Parameters
    ----------
    method : Interpolation
    data : any numeric dtype, (y, x), a window of the source
    valid : bool, (y, x)
    found : Positions on the window, in its cells from its corner; area methods use their extent
        and take the spaces between neighbouring centres where there is none
    wraps : bool
        Whether the last column of the window touches the first; positions may then lie any
        number of turns away.

    Returns
    -------
    values : (y, x) of the target, zero where not valid; for nearest, mode, min and max dtype of
        data, else float32 of float32 and float64 of everything else
    valid : bool, (y, x)

    Examples
    --------
    >>> data = np.array([[0, 10], [20, 30]], np.int16)
    >>> found = SeparablePositions(np.array([0.5, 1.0]), np.array([0.5, 1.5]))
    >>> resample("bilinear", data, np.ones((2, 2), bool), found)[0].tolist()
    [[0.0, 5.0], [20.0, 25.0]]
    """
    shape = found.shape
    values = np.zeros(shape, _result_type(method, data.dtype))
    good = np.zeros(shape, bool)
    if not valid.any():
        return values, good
    plain = np.ascontiguousarray(data)
    mask = None if valid.all() else np.ascontiguousarray(valid)
    if mask is not None and np.issubdtype(plain.dtype, np.inexact):
        plain = np.where(mask, plain, plain.dtype.type(0))
    work = _worker(method)
    for rows, part in _bands(found):
        values[rows], good[rows] = work(plain, mask, part, wraps)
    if not good.all():
        values[~good] = 0
    return values, good


type _Work = Callable[
    [NDArray[np.generic], BoolArray | None, Positions, bool], tuple[NDArray[np.generic], BoolArray]
]


def _worker(method: Interpolation) -> _Work:
    match method:
        case "nearest":
            return nearest
        case "bilinear":
            return bilinear
        case "cubic":
            return cubic
        case "average" | "mode" | "min" | "max" | "med" | "q1" | "q3":
            return lambda data, mask, found, wraps: area(method, data, mask, found, wraps)
        case _:
            assert_never(method)


def _result_type(method: Interpolation, dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    if method in {"nearest", "mode", "min", "max"} or dtype == np.float32:
        return dtype
    return np.dtype(np.float64)


def _bands(found: Positions) -> Iterator[tuple[slice, Positions]]:
    """Rows of the target, as many at a time as have few pixels."""
    height, width = found.shape
    band = _BAND if isinstance(found, SeparablePositions) else _PIXEL_BAND
    step = max(1, band // max(width, 1))
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        yield rows, _rows(found, rows) if step < height else found


def _rows(found: Positions, rows: slice) -> Positions:
    extent = found.extent
    match found:
        case SeparablePositions(u, v):
            if extent is not None:
                extent = Footprint(
                    extent.u_low, extent.u_high, extent.v_low[rows], extent.v_high[rows]
                )
            return SeparablePositions(u, v[rows], extent)
        case PixelPositions(u, v):
            if extent is not None:
                extent = Footprint(
                    extent.u_low[rows],
                    extent.u_high[rows],
                    extent.v_low[rows],
                    extent.v_high[rows],
                )
            return PixelPositions(u[rows], v[rows], extent)
