"""The range of a ramp where a style leaves it open."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from datacube.model.fields import Field
from datacube.render.presets import preset_of
from datacube.render.style import ColorRamp

type Range = tuple[float, float]
type Statistics = Mapping[str, Range]

_SENSIBLE = 1e15
_FAR = 8.0  # times wider than what occurs: limits of what is possible, not of what is there


def resolved(style: ColorRamp, field: Field, statistics: Range | None = None) -> ColorRamp:
    """The style with numbers for low and high.

    Open ends come from, first found: the field's valid range; measured statistics for kinds of
    field that differ much; the usual range of that kind; statistics; what the stored type holds.
    For these and for unknown kinds a valid range that is eight times wider than the statistics
    comes last but one: colours over it would show nothing. Round numbers are made of statistics.
    A kind with zero in its middle (winds, anomalies) keeps it there.

    Parameters
    ----------
    style : ColorRamp
    field : Field
    statistics : (low, high), optional
        Physical values that occur, such as the 2nd and 98th percentile.

    Examples
    --------
    >>> wind = Field("u10", "float32", uom="m s-1")
    >>> ramp = resolved(ColorRamp("default", "", "u10"), wind, (-11.2, 17.9))
    >>> ramp.low, ramp.high
    (-20.0, 20.0)
    """
    if style.low is not None and style.high is not None:
        return style
    low, high = _open_range(field, statistics)
    low = style.low if style.low is not None else low
    high = style.high if style.high is not None else high
    if style.log:
        low = low if low > 0 else (high if high > 0 else 1.0) / 1000
    if not low < high:
        low, high = _around(style, low, high)
    return replace(style, low=low, high=high)


def _around(style: ColorRamp, low: float, high: float) -> Range:
    """A range that is not empty, by moving the end that the style leaves open."""
    width = max(abs(low), abs(high), 1.0)
    return (low, low + width) if style.high is None else (high - width, high)


def _open_range(field: Field, statistics: Range | None) -> Range:
    preset = preset_of(field)
    measured = round_range(*statistics) if statistics is not None else None
    usual = preset.range_in(field.uom) if preset is not None else None
    elastic = preset is not None and preset.elastic
    stated = field.valid_range
    if (elastic or preset is None) and stated and measured and _far_wider(stated, measured):
        stated = None
    candidates = (stated, measured if elastic else None, usual, measured, field.valid_range)
    low, high = next((one for one in candidates if one and _sane(one)), _of_dtype(field))
    if preset is not None and preset.centred:
        reach = max(abs(low), abs(high))
        return -reach, reach
    return low, high


def _far_wider(ends: Range, others: Range) -> bool:
    return ends[1] - ends[0] >= _FAR * (others[1] - others[0]) > 0


def _sane(ends: Range) -> bool:
    low, high = ends
    return low < high and max(abs(low), abs(high)) < _SENSIBLE


def _of_dtype(field: Field) -> Range:
    stored = np.dtype(field.dtype)
    if stored.kind in "iu" and stored.itemsize == 1:
        info = np.iinfo(stored)
        ends = sorted(edge * field.scale + field.offset for edge in (info.min, info.max))
        return ends[0], ends[1]
    return 0.0, 1.0


def round_range(low: float, high: float) -> Range:
    """The range widened to round numbers.

    Examples
    --------
    >>> round_range(271.4, 303.8)
    (270.0, 305.0)
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        return 0.0, 0.0
    if low == high:
        return low - 0.5, high + 0.5
    step = round_step((high - low) / 8)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return (
        round(math.floor(low / step + 1e-9) * step, digits),
        round(math.ceil(high / step - 1e-9) * step, digits),
    )


def round_step(step: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten that is at least the step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(nice * power for nice in (1, 2, 5, 10) if nice * power >= step * (1 - 1e-9))
