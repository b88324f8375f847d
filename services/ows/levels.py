"""Values of numeric dimensions as clients write them: with a unit, depths with either sign."""

import re

from datacube.errors import InvalidTime
from datacube.model.axis import IrregularAxis, RegularAxis, is_vertical
from datacube.render.units import unit_of
from services.ows.kvp import number

_WITH_UNIT = re.compile(
    r"^\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[a-z%°].*)$", re.IGNORECASE
)


def level_value(axis: RegularAxis | IrregularAxis, text: str, name: str) -> float:
    """A number in the unit of the axis.

    ``ELEVATION=-0.5`` is the depth 0.5 where depths are counted downwards, and ``850hPa`` is 85000
    on an axis in Pa.

    Parameters
    ----------
    name : str, of the parameter, for the error

    Raises
    ------
    InvalidTime
        It is no number, or its unit is not one of that quantity.

    Examples
    --------
    >>> import numpy as np
    >>> depth = IrregularAxis("depth", np.array([0.5, 10.0]), "m", "depth")
    >>> [level_value(depth, text, "elevation") for text in ("10", "-10", "0.01 km", "+10m")]
    [10.0, 10.0, 10.0, 10.0]
    """
    value = _number(axis, text, name)
    if not is_vertical(axis):
        return value
    low, high = float(axis.coordinates.min()), float(axis.coordinates.max())
    return -value if (low >= 0 > value) or (high <= 0 < value) else value


def _number(axis: RegularAxis | IrregularAxis, text: str, name: str) -> float:
    unit = f" in {axis.uom}" if axis.uom else ""
    try:
        return number(text)
    except ValueError:
        found = _WITH_UNIT.match(text)
    given, own = unit_of(found["unit"]) if found else None, unit_of(axis.uom)
    if found is None or given is None or own is None or given.quantity != own.quantity:
        raise InvalidTime(
            f"'{text[:100]}' is no value of {name}: give one number{unit}", subject=name
        )
    return own.own(float(found["number"]) * given.factor + given.offset)
