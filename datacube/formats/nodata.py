"""Which packed number stands for no data in a file.

A file may need such a number where the field names none: a request may reach cells that were
never written, and a GeoTIFF has one number for all its bands.
"""

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from datacube.errors import InvalidFormat
from datacube.model.block import Block
from datacube.model.fields import Field

_PART = 1 << 16  # cells that the processor's own memory holds


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
    raise _none_left()


def nil_ahead(
    fields: Sequence[Field], dtypes: Sequence[np.dtype[np.generic]], *, gaps: bool
) -> tuple[np.dtype[np.generic], int | float | None]:
    """The same before any value is known: the first dtype with a number that is surely free.

    Parameters
    ----------
    fields : sequence of Field
    dtypes : sequence of dtype
        Each holds every number of all the fields; the preferred one first.
    gaps : bool
        Whether cells of a field without a nil value may be invalid too.

    Returns
    -------
    dtype : one of dtypes
    nil : number or None
        NaN for floats, None where no field has a nil value and there are no gaps.

    Raises
    ------
    InvalidFormat
        Each of them leaves none.

    Examples
    --------
    >>> fields = Field("a", "int16", nil=-1), Field("b", "int16")
    >>> nil_ahead(fields, [np.dtype("int16"), np.dtype("int32")], gaps=False)
    (dtype('int32'), -2147483648)
    """
    own = [int(field.nil) for field in fields if field.nil is not None and field.nil == field.nil]
    for dtype in dtypes:
        if dtype.kind == "f":
            return dtype, float("nan")
        if not own and not gaps:
            return dtype, None
        limits = np.iinfo(dtype.name)
        for candidate in dict.fromkeys([*own, limits.min, limits.max]):
            fits = limits.min <= candidate <= limits.max
            if fits and all(_surely_free(field, candidate) for field in fields):
                return dtype, candidate
    raise _none_left()


def nil_known(field: Field, dtype: np.dtype[np.generic], *, gaps: bool) -> bool:
    """Whether :func:`nil_for` gives a field alone what :func:`nil_ahead` does, whatever its values.

    Examples
    --------
    >>> nil_known(Field("a", "int16", nil=-1), np.dtype("int16"), gaps=True)
    True
    >>> nil_known(Field("a", "int16"), np.dtype("int16"), gaps=True)
    False
    """
    if dtype.kind == "f":
        return True
    if field.nil is None:
        return not gaps
    limits = np.iinfo(dtype.name)
    return bool(limits.min <= field.nil <= limits.max)


def filled(block: Block, dtype: np.dtype[np.generic], nil: float | None) -> NDArray[np.generic]:
    """Packed values as dtype, nil where not valid; the block's own array where nothing changes.

    Returns
    -------
    values : dtype, (*axes, y, x)
    """
    if nil is None or _says_so(block, nil):
        return block.data.astype(dtype, copy=False)
    return np.where(block.valid, block.data, np.asarray(nil, dtype)).astype(dtype, copy=False)


def _says_so(block: Block, nil: float) -> bool:
    """Whether nil stands wherever the block is not valid: as in values that are as stored."""
    own = block.field.nil
    floating = isnan(nil) and block.data.dtype.kind == "f"
    if not floating and (own is None or own != nil):
        return bool(block.valid.all())
    if block.mask is None and (own is None or isnan(own) or not floating):
        return True
    data, valid = (one.reshape(-1) for one in (block.data, block.valid))
    marker = np.asarray(nil).astype(data.dtype)
    for start in range(0, data.size, _PART):
        part = data[start : start + _PART]
        held = np.equal(part, part) if floating else part != marker  # NaN equals nothing
        if not (held <= valid[start : start + _PART]).all():
            return False
    return True


def _none_left() -> InvalidFormat:
    return InvalidFormat(
        "no number is left to stand for no data in all these fields together; "
        "ask for one field, or for application/netcdf",
        subject="format",
    )


def _surely_free(field: Field, number: int) -> bool:
    """Whether no valid cell of a field can hold a number."""
    if field.nil is not None and field.nil == number:
        return True
    if field.dtype == "bool":
        return number not in {0, 1}
    limits = np.iinfo(field.dtype)
    return not limits.min <= number <= limits.max


def _holds(block: Block, number: int) -> bool:
    if block.field.nil is not None and int(block.field.nil) == number:
        return False
    return bool(((block.data == number) & block.valid).any())
