"""Times of NetCDF files as their numbers say them, also where the digits are the date."""

import re
from math import floor

import numpy as np
from numpy.typing import NDArray

from datacube.model.calendar import Calendar
from datacube.model.cfunits import decode_cf
from datacube.model.time import Timestamp, add_months

_ABSOLUTE = re.compile(r"^\s*(day|month|year)s?\s+as\s+%Y(%m)?(%d)?(?:\.%f)?\s*$", re.IGNORECASE)
_SECOND = 1000
_SECONDS = 86_400


def is_absolute(units: str) -> bool:
    """Whether the digits of a time are its date, as CDO and the climate centres write it.

    Examples
    --------
    >>> is_absolute("day as %Y%m%d.%f"), is_absolute("days since 2000-01-01")
    (True, False)
    """
    found = _ABSOLUTE.match(units)
    wanted = {"day": (True, True), "month": (True, False), "year": (False, False)}
    return found is not None and wanted[found[1].lower()] == (bool(found[2]), bool(found[3]))


def ticks_of(values: NDArray[np.generic], units: str, calendar: Calendar) -> NDArray[np.int64]:
    """Ticks of times in any units that a file may have.

    Parameters
    ----------
    values : any shape
    units : str, ``hours since 1970-01-01`` or ``day as %Y%m%d.%f``
        A part of a day is one to the second, a part of a month or year that of its length.

    Raises
    ------
    InvalidTime
        They are others, or a number is no date.

    Examples
    --------
    >>> made = ticks_of(np.array([20200101.75]), "day as %Y%m%d.%f", "standard")
    >>> int(made[0]) == Timestamp.parse("2020-01-01T18:00:00Z").ticks("standard")
    True
    """
    if not is_absolute(units):
        return decode_cf(values, units, calendar)
    kind = units.split(maxsplit=1)[0].lower().rstrip("s")
    flat = np.asarray(values, np.float64).ravel().tolist()
    made = [_absolute(value, kind, calendar) for value in flat]
    return np.array(made, np.int64).reshape(np.shape(values))


def _absolute(value: float, kind: str, calendar: Calendar) -> int:
    whole = floor(value)
    digits = {"day": f"{whole:08d}", "month": f"{whole:06d}01", "year": f"{whole:04d}0101"}[kind]
    start = Timestamp.parse(f"{digits[:-4]}-{digits[-4:-2]}-{digits[-2:]}").ticks(calendar)
    if kind == "day":
        return start + round((value - whole) * _SECONDS) * _SECOND
    after = add_months(start, 1 if kind == "month" else 12, calendar)
    return start + round((value - whole) * (after - start))
