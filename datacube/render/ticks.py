"""Round numbers along a colour bar, and how they are written."""

import math
from dataclasses import dataclass
from itertools import pairwise

from datacube.render.ranges import round_step


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark: where along the bar (0 low … 1 high), its value and what is written beside it."""

    place: float
    value: float
    label: str


def ticks(low: float, high: float, *, log: bool = False, most: int = 7) -> tuple[Tick, ...]:
    """Marks at round numbers from low to high.

    Parameters
    ----------
    low, high : float
    log : bool
        Marks at 1, 2 and 5 times powers of ten, or at the powers only where those are too many.
    most : int
        Upper bound of their number; 2 where not even that fits is low and high themselves.

    Examples
    --------
    >>> [tick.label for tick in ticks(-2, 32)]
    ['0', '5', '10', '15', '20', '25', '30']
    >>> [tick.label for tick in ticks(0.03, 30, log=True, most=4)]
    ['0.1', '1', '10']
    """
    values = _log_values(low, high, most) if log else _values(low, high, most)
    if len(values) < 2:
        values = [low, high]
    return at_values(values, low, high, log=log)


def at_values(values: list[float], low: float, high: float, *, log: bool) -> tuple[Tick, ...]:
    """Marks at given values, ascending, at least two.

    Examples
    --------
    >>> [tick.label for tick in at_values([0, 2.5, 5], 0, 5, log=False)]
    ['0.0', '2.5', '5.0']
    """
    labels = _labels(values, log)
    return tuple(
        Tick(_place(value, low, high, log), value, label)
        for value, label in zip(values, labels, strict=True)
    )


def _place(value: float, low: float, high: float, log: bool) -> float:
    if log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _values(low: float, high: float, most: int) -> list[float]:
    span = high - low
    step = round_step(span / max(most, 1))
    while True:
        first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
        if last - first + 1 <= most:
            return [count * step for count in range(first, last + 1)]
        step = round_step(step * 1.01)


def _log_values(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        values = [factor * 10.0**decade for decade in decades for factor in factors]
        inside = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(inside) <= most:
            break
    else:
        inside = inside[:: -(-len(inside) // most)]
    return inside if len(inside) > 1 else _values(low, high, most)


def _labels(values: list[float], log: bool) -> list[str]:
    largest = max(abs(value) for value in values)
    if log or largest == 0:
        return [_number(value) for value in values]
    step = min(abs(b - a) for a, b in pairwise(values))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    while digits < 3 and any(abs(round(value, digits) - value) > 1e-3 * step for value in values):
        digits += 1
    if largest >= 1e6 or digits > 3:
        return [_number(value) for value in values]
    # the digits of the smallest step; -0 is 0
    return [
        f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        for value in values
    ]


def _number(value: float) -> str:
    """Up to four significant digits, the exponent only where it is shorter."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    else:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "\N{MINUS SIGN}")
