"""Key-value requests of WCS 1.1 (07-067r5, 9.2 and 10.2)."""

import re
from dataclasses import dataclass, field

from datacube.errors import InvalidParameter, MissingParameter
from datacube.model.axis import Axis, TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import AxisSubset, CoverageQuery, Interpolation
from services.ows.kvp import Kvp, boolean, comma_list, number
from services.wcs.extras import Extras, decode_extras
from services.wcs.grids import centred_grid, native_grid, plain_grid
from services.wcs.places import axis_subset, time_subset, with_defaults
from services.wcs.v110.capabilities import SECTIONS
from services.wcs.v110.names import BANDS, FIELD, IMAGE_CRS

_METHODS: dict[str, Interpolation] = {
    "nearest": "nearest",
    "none": "nearest",
    "linear": "bilinear",
    "bilinear": "bilinear",
    "cubic": "cubic",
}
_SELECTION = re.compile(
    r"(?P<field>[^\[\]:;,\s]+)(?::(?P<method>[A-Za-z]+))?(?:\[(?P<axes>.*)\])?$", re.ASCII
)
_AXIS = re.compile(r"(?P<axis>[^\[\]:;,\s]+)\[(?P<keys>[^\[\]]+)\](?:,|$)")


@dataclass(frozen=True, slots=True)
class Box:
    """Edges, x before y; without a CRS they count cells from 1, rows from the north."""

    edges: tuple[float, float, float, float]
    crs: Crs | None

    def placed(self, domain: DomainSet) -> BoundingBox:
        """The box in a CRS; counted cells are meant by their centres."""
        if self.crs is not None:
            return BoundingBox(*self.edges, self.crs)
        grid = plain_grid(domain)
        left, top, right, bottom = self.edges
        x0, y0 = float(grid.x_centres()[0]), float(grid.y_centres()[0])
        xs = (x0 + (one - 1) * grid.dx for one in (left, right))
        ys = (y0 + (one - 1) * grid.dy for one in (top, bottom))
        (west, east), (north, south) = xs, ys
        return BoundingBox(west, south, east, north, grid.crs)


@dataclass(frozen=True, slots=True)
class Range:
    """RangeSubset as written: keys by axis, and how values between cells are found."""

    keys: tuple[tuple[str, str], ...] = ()
    interpolation: Interpolation = "nearest"


@dataclass(frozen=True, slots=True)
class Cells:
    """The grid of the answer as written.

    Parameters
    ----------
    crs : Crs, or None for that of the coverage
    offsets : one step along x and one along y, in the CRS' axis order as they were given
    origin : position of a cell, in the CRS' axis order
    """

    crs: Crs | None = None
    offsets: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """GetCoverage as written.

    Parameters
    ----------
    coverage, format : str
    box : Box
    time : str, empty where there is none
    range : Range
    cells : Cells
    store : bool, a document with the file's URL, not the file
    plain : bool, the file without the document before it; a parameter of this server
    extras : its other parameters
    """

    coverage: str
    format: str
    box: Box
    time: str
    range: Range
    cells: Cells
    store: bool
    plain: bool
    extras: Extras = field(default_factory=Extras)


def sections(kvp: Kvp) -> frozenset[str]:
    """Sections of the capabilities that are wanted.

    Raises
    ------
    InvalidParameter
        There is no such section.
    """
    named = kvp.optional("sections", comma_list, ())
    known = {name.lower(): name for name in SECTIONS}
    wrong = [name for name in named if name.lower() not in {*known, "all"}]
    if wrong:
        raise InvalidParameter(
            f"there is no section '{wrong[0][:100]}'; there are {', '.join(SECTIONS)}",
            subject="sections",
        )
    if not named or "all" in {name.lower() for name in named}:
        return frozenset(SECTIONS)
    return frozenset(known[name.lower()] for name in named)


def coverage_ids(kvp: Kvp) -> tuple[str, ...]:
    """Identifiers of DescribeCoverage; some clients write the name in the singular."""
    return kvp.one("identifiers" if "identifiers" in kvp else "identifier", comma_list)


def get_coverage(kvp: Kvp) -> CoverageRequest:
    """The parameters of GetCoverage.

    Raises
    ------
    MissingParameter, InvalidParameter, InvalidCrs
        A parameter is missing or cannot be read.
    """
    return CoverageRequest(
        kvp.one("identifier", str.strip),
        kvp.one("format", str.strip),
        kvp.one("BoundingBox", _box),
        kvp.optional("TimeSequence", str.strip, ""),
        kvp.optional("RangeSubset", parse_range, Range()),
        Cells(
            kvp.optional("GridBaseCRS", Crs.parse, None),
            kvp.optional("GridOffsets", _numbers, ()),
            kvp.optional("GridOrigin", _numbers, ()),
        ),
        kvp.optional("store", boolean, default=False),
        kvp.optional("plain", boolean, default=False),
        decode_extras(kvp),
    )


def parse_range(text: str) -> Range:
    """``contents``, ``contents:linear``, ``contents[bands[nir,red],depth[10]]``.

    Raises
    ------
    InvalidParameter
        It cannot be read, or names another field, or an axis twice.

    Examples
    --------
    >>> parse_range("contents:linear[bands[nir,red]]")
    Range(keys=(('bands', 'nir,red'),), interpolation='bilinear')
    """
    found = _SELECTION.match(text.strip())
    if found is None:
        raise InvalidParameter(
            f"'{text[:100]}' cannot be read; write {FIELD}, {FIELD}:linear or "
            f"{FIELD}[{BANDS}[name,name]]",
            subject="RangeSubset",
        )
    method = _METHODS.get((found["method"] or "nearest").lower())
    if method is None or found["field"].lower() != FIELD:
        raise InvalidParameter(
            f"'{text[:100]}': the field is {FIELD}, its methods are {', '.join(_METHODS)}",
            subject="RangeSubset",
        )
    return Range(tuple(_keys(found["axes"])) if found["axes"] is not None else (), method)


def bind_query(
    asked: CoverageRequest, description: CoverageDescription, *, flat: bool
) -> tuple[CoverageQuery, tuple[str, ...]]:
    """The query that a request means on a coverage, and what was taken for what it leaves out.

    Parameters
    ----------
    flat : whether the format holds x and y alone
    """
    domain, aggregate = description.domain, asked.extras.aggregate
    keys = dict(asked.range.keys)
    names = keys.pop(BANDS, "")
    subsets: list[AxisSubset] = [
        axis_subset(_further(domain, name), text) for name, text in keys.items()
    ]
    if asked.time and domain.time is not None:
        single = flat and aggregate is None
        subsets.append(time_subset(asked.time, domain.time, flat=single))
    complete, notes = with_defaults(subsets, domain, aggregate, flat=flat)
    query = CoverageQuery(
        description.id,
        complete,
        _fields(names, description.range_type),
        interpolation=asked.range.interpolation,
        grid=exact_grid(asked.box.placed(domain), asked.cells, domain),
    )
    return asked.extras.applied(query, description.range_type), notes


def exact_grid(box: BoundingBox, cells: Cells, domain: DomainSet) -> RectifiedGrid:
    """The cells that a box and a grid mean: centres from the upper left corner on.

    Raises
    ------
    InvalidParameter
        The offsets are of a turned grid, or none.
    """
    crs = cells.crs or plain_grid(domain).crs
    placed = box.to_crs(crs)
    if not cells.offsets:
        return native_grid(domain, placed, crs)
    dx, dy = _steps(cells.offsets, crs)
    first = None
    if len(cells.origin) == 2:
        first = cells.origin[::-1] if crs.northing_first else cells.origin
    return centred_grid(placed, dx, dy, (first[0], first[1]) if first else None)


def _steps(offsets: tuple[float, ...], crs: Crs) -> tuple[float, float]:
    """Lengths of a step along x and along y.

    Of two numbers a negative one is that of y, whose rows run southward, in whatever order they
    come; four are a vector along each axis of the grid.
    """
    match offsets:
        case (one, other):
            swapped = (one < 0 < other) or (crs.northing_first and one * other > 0)
            dx, dy = (other, one) if swapped else (one, other)
        case (0.0, dy, dx, 0.0) | (dx, 0.0, 0.0, dy):
            if offsets[0] == 0.0 and crs.northing_first:
                dx, dy = dy, dx
        case _:
            raise InvalidParameter(
                f"the offsets {offsets} are not those of a grid along the axes",
                subject="GridOffsets",
            )
    if not dx or not dy:
        raise InvalidParameter(f"the offsets {offsets} have no length", subject="GridOffsets")
    return abs(dx), abs(dy)


def _keys(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        one = _AXIS.match(text, at)
        if one is None:
            break
        found.append((one["axis"], one["keys"]))
        at = one.end()
    if at < len(text) or not found or text.endswith(","):
        raise InvalidParameter(
            f"the keys '{text[:100]}' cannot be read; write {BANDS}[name,name]",
            subject="RangeSubset",
        )
    if len(dict(found)) < len(found):
        raise InvalidParameter("an axis is given twice", subject="RangeSubset")
    return found


def _further(domain: DomainSet, name: str) -> Axis:
    axis = domain.axis(name)
    if isinstance(axis, str | TimeAxis):
        raise InvalidParameter(
            f"{name} is no axis of the field {FIELD}; BoundingBox and TimeSequence select by "
            "place and time",
            subject="RangeSubset",
        )
    return axis


def _fields(text: str, fields: RangeType) -> tuple[str, ...]:
    names = [fields.field(name).name for name in comma_list(text)] if text else []
    if len(set(names)) < len(names):
        raise InvalidParameter("a band is given twice", subject="RangeSubset")
    return tuple(names)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(number(part) for part in text.replace(" ", ",").split(",") if part)


def _box(text: str) -> Box:
    """Corners in the order of the CRS that stands behind them; longitudes first without one."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in {4, 5}:
        raise MissingParameter(
            "a bounding box has four numbers and a CRS: 0,0,10,10,urn:ogc:def:crs:EPSG::4326",
            subject="BoundingBox",
        )
    numbers = [number(part) for part in parts[:4]]
    if parts[4:] == [IMAGE_CRS]:
        return Box((numbers[0], numbers[1], numbers[2], numbers[3]), None)
    crs = Crs.parse(parts[4]) if len(parts) == 5 else CRS84
    lower, upper = numbers[:2], numbers[2:]
    (left, bottom), (right, top) = (
        one[::-1] if crs.northing_first else one for one in (lower, upper)
    )
    return Box((left, bottom, right, top), crs)
