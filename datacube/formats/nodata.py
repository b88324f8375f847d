"""Which packed number stands for no data in a file.

A file may need such a number where the field names none: a request may reach cells that were
never written, and a GeoTIFF has one number for all its bands.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidFormat
from datacube.model.block import Block


def nil_for(blocks: Sequence[Block], dtype: np.dtype[np.generic]) -> int | float | None:
    """One number of dtype that can stand for no data in all the blocks.

    Parameters
    ----------
    blocks : sequence of Block
    dtype : what the values are written as

    Returns
    -------
    nil : number or None
        NaN for floats; else a field's own nil value where no valid cell of another field has it;
        None where no field has one and every cell is valid; else a number that no cell has.

    Raises
    ------
    InvalidFormat
        Every candidate is a value of some cell.

    Examples
    --------
    >>> nil_for([], np.dtype("float32"))
    nan
    """
    if dtype.kind == "f":
        return float("nan")
    own = [int(block.field.nil) for block in blocks if block.field.nil is not None]
    if not own and all(block.valid.all() for block in blocks):
        return None
    limits = np.iinfo(dtype.name)
    for candidate in dict.fromkeys([*own, limits.min, limits.max]):
        fits = limits.min <= candidate <= limits.max
        if fits and not any(_holds(block, candidate) for block in blocks):
            return candidate
    raise InvalidFormat(
        "no number is left to stand for no data in all these fields together; "
        "ask for one field, or for application/netcdf",
        subject="format",
    )


def filled(block: Block, dtype: np.dtype[np.generic], nil: float | None) -> NDArray[np.generic]:
    """Packed values as dtype, nil where not valid; the block's own array where nothing changes.

    Returns
    -------
    values : dtype, (*axes, y, x)
    """
    if nil is None or block.valid.all():
        return block.data.astype(dtype, copy=False)
    return np.where(block.valid, block.data, np.asarray(nil, dtype)).astype(dtype, copy=False)


def _holds(block: Block, number: int) -> bool:
    if block.field.nil is not None and int(block.field.nil) == number:
        return False
    return bool(((block.data == number) & block.valid).any())
