"""The axes of a domain as documents show them: labels, corners, origins, steps, coefficients.

A document lists axes twice: in the order of the CRS (``Lat Long ansi``) for positions, and in the
order of the grid (``Long Lat ansi``, x first) for limits. The grid is always described from north
to south and from west to east, as files are written, whatever the order in the store.

Time stands on the axis ``ansi``. In the encoding ``iso`` its positions are quoted ISO instants,
which clients read and the schemas do not allow; in the encoding ``strict`` they are days since
1600-12-31, as AnsiDate defines them. Labels of an index axis are quoted in the same way.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, assert_never

import numpy as np

from datacube.model.axis import Axis, IndexAxis, IrregularAxis, RegularAxis, TimeAxis, is_vertical
from datacube.model.calendar import MS_PER_DAY
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from services.ows.extents import listed_time, plain_number

ANSI_EPOCH_DAYS = -134_774
"""1600-12-31, the day zero of AnsiDate, in days since 1970-01-01."""
LISTED_CELLS = 10_000
"""Cells up to which their positions are written out."""
_OGC_CRS = "http://www.opengis.net/def/crs/OGC/0/"
_GREGORIAN = frozenset({"standard", "proleptic_gregorian"})

type TimeEncoding = Literal["iso", "strict"]


@dataclass(frozen=True, slots=True)
class Line:
    """One axis as a document shows it.

    Parameters
    ----------
    label, uom : str
    crs : str, URI; empty for the second axis of a horizontal CRS
    low, high : str, corners of the envelope
    origin : str, position of the first cell's centre, always a number
    step : str, what one index adds; with coefficients what a coefficient of 1 adds
    size : int
    coefficients : str
        Positions, one for each index; empty where the axis is regular.
    """

    label: str
    uom: str
    crs: str
    low: str
    high: str
    origin: str
    step: str
    size: int
    coefficients: str = ""


@dataclass(frozen=True, slots=True)
class Positions:
    """Longitude and latitude of each cell, row by row from the first one stored.

    Parameters
    ----------
    x, y : str, degrees; empty where they are too many to be listed
    """

    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes of a domain as a document shows them.

    Parameters
    ----------
    grid_order : tuple of Line
        x, y, then the further axes.
    northing_first : bool
        Whether positions have y before x.
    positions : Positions, optional
        Of each cell, where x and y are no regular axes.
    """

    grid_order: tuple[Line, ...]
    northing_first: bool
    positions: Positions | None = None

    @property
    def crs_order(self) -> tuple[Line, ...]:
        """The lines in the order of the CRS."""
        x, y, *further = self.grid_order
        return (y, x, *further) if self.northing_first else (x, y, *further)

    @property
    def srs_name(self) -> str:
        """URI of the CRS, compound where there are further axes."""
        names = [line.crs for line in self.grid_order if line.crs]
        if len(names) == 1:
            return names[0]
        parts = "&".join(f"{number}={name}" for number, name in enumerate(names, start=1))
        return f"http://www.opengis.net/def/crs-compound?{parts}"

    @property
    def reference(self) -> dict[str, str]:
        """Attributes of everything that carries positions."""
        return {
            "srsName": self.srs_name,
            "axisLabels": " ".join(line.label for line in self.crs_order),
            "uomLabels": " ".join(line.uom for line in self.crs_order),
            "srsDimension": str(len(self.grid_order)),
        }


def frame(domain: DomainSet, encoding: TimeEncoding = "iso") -> Frame:
    """The axes of a domain, ready for a document."""
    further = tuple(_line(axis, encoding) for axis in domain.axes)
    northing_first = domain.grid.crs.northing_first
    match domain.grid:
        case RectifiedGrid() as grid:
            return Frame((*_horizontal(grid), *further), northing_first)
        case ReferenceableGrid() as grid:
            return Frame((*_enclosing(grid), *further), northing_first, _positions(grid))


def time_label(axis: TimeAxis) -> str:
    """``ansi``, or the axis' own name in a calendar with days that AnsiDate does not have.

    Examples
    --------
    >>> time_label(TimeAxis("time", np.array([0])))
    'ansi'
    """
    return "ansi" if _is_gregorian(axis) else axis.name


def _horizontal(grid: RectifiedGrid) -> tuple[Line, Line]:
    crs, box = grid.crs, grid.bbox
    x_label, y_label = crs.labels
    x0, y0 = float(grid.x_centres().min()), float(grid.y_centres().max())
    x = Line(
        x_label,
        unit_label(crs.uom),
        _crs_name(crs),
        plain_number(box.left),
        plain_number(box.right),
        plain_number(x0),
        plain_number(abs(grid.dx)),
        grid.width,
    )
    y = Line(
        y_label,
        unit_label(crs.uom),
        "",
        plain_number(box.bottom),
        plain_number(box.top),
        plain_number(y0),
        plain_number(-abs(grid.dy)),
        grid.height,
    )
    return x, y


def _enclosing(grid: ReferenceableGrid) -> tuple[Line, Line]:
    """Lines for cells with positions: the box around them, steps of one degree from zero."""
    crs, box = grid.crs, grid.bbox.unwrapped()
    sides = (
        (crs.labels[0], _crs_name(crs), box.left, box.right, grid.width),
        (crs.labels[1], "", box.bottom, box.top, grid.height),
    )
    x, y = (
        Line(
            label, unit_label(crs.uom), name, plain_number(low), plain_number(high), "0", "1", size
        )
        for label, name, low, high, size in sides
    )
    return x, y


def _positions(grid: ReferenceableGrid) -> Positions:
    if grid.width * grid.height > LISTED_CELLS:
        return Positions("", "")
    x, y = (
        " ".join(plain_number(one) if isfinite(one) else "NaN" for one in values.ravel().tolist())
        for values in (grid.x, grid.y)
    )
    return Positions(x, y)


def _crs_name(crs: Crs) -> str:
    return crs.uri if crs.has_code else f"{_OGC_CRS}Index2D"


def _line(axis: Axis, encoding: TimeEncoding) -> Line:
    match axis:
        case TimeAxis():
            return _time(axis, encoding)
        case IndexAxis():
            return _places(axis, encoding)
        case RegularAxis():
            return _regular(axis)
        case IrregularAxis():
            return _irregular(axis)
        case _:
            assert_never(axis)


def _time(axis: TimeAxis, encoding: TimeEncoding) -> Line:
    gregorian = _is_gregorian(axis)
    crs = f"{_OGC_CRS}{'AnsiDate' if gregorian else 'Index1D'}"
    days = axis.ticks / MS_PER_DAY - (ANSI_EPOCH_DAYS if gregorian else 0)
    first, last = plain_number(days[0]), plain_number(days[-1])
    if encoding == "iso" and gregorian:
        low, high = _quoted(axis.iso[:1]), _quoted(axis.iso[-1:])
        coefficients = _quoted(axis.iso)
    else:
        low, high = first, last
        coefficients = _numbers(np.round(days - days[0], 9).tolist())
    return Line(time_label(axis), "d", crs, low, high, first, "1", axis.size, coefficients)


def _places(axis: IndexAxis, encoding: TimeEncoding) -> Line:
    quoted = encoding == "iso" and axis.labels
    low = _quoted(axis.labels[:1]) if quoted else "0"
    high = _quoted(axis.labels[-1:]) if quoted else str(axis.size - 1)
    coefficients = _quoted(axis.labels) if quoted else ""
    crs = f"{_OGC_CRS}Index1D"
    return Line(axis.name, "unity", crs, low, high, "0", "1", axis.size, coefficients)


def _regular(axis: RegularAxis) -> Line:
    ends = sorted((axis.origin, axis.origin + axis.step * (axis.size - 1)))
    low, high = (plain_number(end) for end in ends)
    origin, step = plain_number(axis.origin), plain_number(axis.step)
    return Line(
        axis.name, unit_label(axis.uom), _vertical_crs(axis), low, high, origin, step, axis.size
    )


def _irregular(axis: IrregularAxis) -> Line:
    values = axis.coordinates
    low, high = plain_number(values.min()), plain_number(values.max())
    coefficients = _numbers((values - values[0]).tolist())
    origin = plain_number(values[0])
    crs = _vertical_crs(axis)
    return Line(
        axis.name, unit_label(axis.uom), crs, low, high, origin, "1", axis.size, coefficients
    )


def _vertical_crs(axis: RegularAxis | IrregularAxis) -> str:
    """A depth in metres is EPSG:5831; nothing else here has an exact code."""
    depth = is_vertical(axis) and "depth" in f"{axis.name} {axis.title}".lower()
    if depth and axis.uom in {"m", "metre", "metres", "meters"}:
        return "http://www.opengis.net/def/crs/EPSG/0/5831"
    return f"{_OGC_CRS}Index1D"


def unit_label(uom: str) -> str:
    """A unit as the schema takes it among others: an NCName; ``unity`` where there is none.

    Examples
    --------
    >>> unit_label("m"), unit_label("US survey foot"), unit_label("%"), unit_label("1")
    ('m', 'US_survey_foot', 'percent', 'unity')
    """
    if uom.strip() in {"", "1"}:
        return "unity"
    label = re.sub(r"[^A-Za-z0-9_.-]+", "_", uom.strip().replace("%", "percent"))
    return label if label[0].isalpha() or label[0] == "_" else f"_{label}"


def _is_gregorian(axis: TimeAxis) -> bool:
    """Whether every instant is one of the Gregorian calendar."""
    return axis.calendar in _GREGORIAN or all(listed_time(text) == text for text in axis.iso)


def _quoted(texts: Sequence[str]) -> str:
    return " ".join(f'"{text}"' for text in texts)


def _numbers(values: Sequence[float]) -> str:
    return " ".join(plain_number(value) for value in values)
