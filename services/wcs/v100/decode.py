"""Key-value requests of WCS 1.0.0 (03-065r6, 9.3.2)."""

from dataclasses import dataclass, field

from datacube.errors import InvalidParameter, MissingParameter
from datacube.model.axis import TimeAxis
from datacube.model.bbox import BoundingBox
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.grid import RectifiedGrid
from datacube.model.query import AxisSubset, CoverageQuery, Interpolation, Trim
from services.ows.kvp import Kvp, comma_list, number, positive
from services.wcs.extras import Extras, decode_extras
from services.wcs.grids import plain_grid, sized_grid, stepped_grid
from services.wcs.places import axis_subset, time_subset, with_defaults
from services.wcs.v100.capabilities import SECTIONS
from services.wcs.v100.names import BAND

_METHODS: dict[str, Interpolation | None] = {
    "nearest neighbor": "nearest",
    "nearest neighbour": "nearest",
    "nearest": "nearest",
    "nearest-neighbor": "nearest",
    "none": None,
    "bilinear": "bilinear",
    "bicubic": "cubic",
    "cubic": "cubic",
    "average": "average",
    "mode": "mode",
}
_SIZES = ("WIDTH", "HEIGHT", "RESX", "RESY")
_DIGITS = 9  # of the number of a band
_DEGREES = frozenset({"WGS84(DD)", "WGS 84(DD)"})


@dataclass(frozen=True, slots=True)
class Box:
    """Edges, x before y, and of a further axis where there are six numbers."""

    plane: tuple[float, float, float, float]
    heights: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """GetCoverage as written.

    Parameters
    ----------
    coverage, format : str
    crs : Crs of the box; None where nothing but a time is given: the coverage's own cells
    response_crs : Crs of the answer
    box : Box or None, the whole coverage
    time : str, empty where there is none
    size : (width, height), or None where there is a resolution
    resolution : (x, y), in units of the answer's CRS
    interpolation : how values between cells are found; None is the nearest, asked for as none
    extras : parameters of this server
    """

    coverage: str
    format: str
    crs: Crs | None
    response_crs: Crs | None
    box: Box | None
    time: str
    size: tuple[int, int] | None
    resolution: tuple[float, float] | None
    interpolation: Interpolation | None
    extras: Extras = field(default_factory=Extras)


def section(kvp: Kvp) -> str:
    """The section of the capabilities that is wanted; empty for the whole."""

    def parse(text: str) -> str:
        if text.strip().lower() not in SECTIONS:
            raise ValueError(f"there is none of that name; there are {', '.join(SECTIONS)}")
        return SECTIONS[text.strip().lower()]

    return kvp.optional("SECTION", parse, "")


def coverage_names(kvp: Kvp) -> tuple[str, ...]:
    """COVERAGE of DescribeCoverage; none means all."""
    return kvp.optional("COVERAGE", comma_list, ())


def get_coverage(kvp: Kvp) -> CoverageRequest:
    """The parameters of GetCoverage.

    Raises
    ------
    MissingParameter, InvalidParameter, InvalidCrs
        A parameter is missing or cannot be read.
    """
    box = kvp.optional("BBOX", _box, None)
    time = kvp.optional("TIME", str.strip, "")
    if box is None and not time:
        raise MissingParameter("BBOX or TIME must be given, or both", subject="BBOX")
    whole = box is None and not any(name in kvp for name in ("CRS", *_SIZES))
    crs = None if whole else kvp.one("CRS", _crs)
    method: Interpolation | None = "nearest"
    if "INTERPOLATION" in kvp:
        method = kvp.one("INTERPOLATION", _interpolation)
    if method is None and any(name in kvp for name in ("RESX", "RESY", "RESPONSE_CRS")):
        raise InvalidParameter(
            "other cells or another CRS need an interpolation, and it is none",
            subject="INTERPOLATION",
        )
    return CoverageRequest(
        kvp.one("COVERAGE", str.strip),
        kvp.one("FORMAT", str.strip),
        crs,
        kvp.optional("RESPONSE_CRS", _crs, crs),
        box,
        time,
        *((None, None) if whole else _cells(kvp)),
        method,
        decode_extras(kvp),
    )


def bind_query(
    asked: CoverageRequest,
    kvp: Kvp,
    description: CoverageDescription,
    *,
    flat: bool,
) -> tuple[CoverageQuery, tuple[str, ...]]:
    """The query that a request means on a coverage, and what was taken for what it leaves out.

    Parameters
    ----------
    kvp : the same request, for the parameters that are named by the coverage's own axes
    flat : whether the format holds x and y alone
    """
    domain, aggregate = description.domain, asked.extras.aggregate
    subsets = list(_axis_subsets(kvp, domain))
    if asked.box is not None and asked.box.heights is not None:
        subsets.append(_heights(asked.box.heights, domain))
    if asked.time and domain.time is not None:
        single = flat and aggregate is None
        subsets.append(time_subset(asked.time, domain.time, flat=single))
    complete, notes = with_defaults(subsets, domain, aggregate, flat=flat)
    query = CoverageQuery(
        description.id,
        complete,
        kvp.optional(BAND, lambda text: bands(text, description.range_type), ()),
        interpolation=asked.interpolation or "nearest",
        grid=_grid(asked, domain),
    )
    return asked.extras.applied(query, description.range_type), notes


def bands(text: str, fields: RangeType) -> tuple[str, ...]:
    """Fields by name or by number from 1, intervals of numbers too.

    Examples
    --------
    >>> from datacube.model.fields import Field
    >>> bands("2,nir", RangeType((Field("red", "u2"), Field("green", "u2"), Field("nir", "u2"))))
    ('green', 'nir')
    """
    names: list[str] = []
    for part in comma_list(text):
        first, slash, rest = part.partition("/")
        last = rest.partition("/")[0] if slash else first
        numbers = [_band(one, fields) for one in (first, last)]
        names += fields.names[numbers[0] : numbers[1] + 1]
    return tuple(dict.fromkeys(names))


def _band(text: str, fields: RangeType) -> int:
    if text.isdecimal() and text not in fields.names:
        number = int(text[:_DIGITS])
        if not 1 <= number <= len(fields.names):
            raise InvalidParameter(
                f"there is no band {text[:_DIGITS]}; there are 1 to {len(fields.names)}",
                subject=BAND,
            )
        return number - 1
    return fields.names.index(fields.field(text).name)


def _axis_subsets(kvp: Kvp, domain: DomainSet) -> list[AxisSubset]:
    """Parameters that have the name of a further axis; ELEVATION is the vertical one."""
    found: list[AxisSubset] = []
    for axis in domain.axes:
        if isinstance(axis, TimeAxis):
            continue
        names = [axis.name, f"DIM_{axis.name}"]
        names += ["ELEVATION"] * (axis == domain.vertical)
        given = [name for name in names if name in kvp]
        found += [axis_subset(axis, kvp.one(name)) for name in given[:1]]
    return found


def _heights(ends: tuple[float, float], domain: DomainSet) -> AxisSubset:
    if domain.vertical is None:
        raise InvalidParameter(
            "the box has six numbers, and the coverage no vertical axis", subject="BBOX"
        )
    return Trim(domain.vertical.name, *ends)


def _grid(asked: CoverageRequest, domain: DomainSet) -> RectifiedGrid:
    if asked.crs is None or asked.response_crs is None:
        return plain_grid(domain)
    box = plain_grid(domain).bbox if asked.box is None else BoundingBox(*asked.box.plane, asked.crs)
    if not box.crs.same_plane(asked.response_crs):
        box = box.to_crs(asked.response_crs)
    else:
        box = BoundingBox(*box.edges, asked.response_crs)
    if asked.size is not None:
        grid = sized_grid(box, *asked.size)
    elif asked.resolution is not None:
        grid = stepped_grid(box, *asked.resolution)
    else:
        raise MissingParameter("WIDTH and HEIGHT are missing, or RESX and RESY", subject="WIDTH")
    return grid


def _cells(kvp: Kvp) -> tuple[tuple[int, int] | None, tuple[float, float] | None]:
    sized, stepped = ({*names} & {*kvp.names} for names in (("width", "height"), ("resx", "resy")))
    if sized and stepped:
        raise InvalidParameter(
            "WIDTH and HEIGHT contradict RESX and RESY; give one of the pairs", subject="WIDTH"
        )
    if stepped:
        return None, (kvp.one("RESX", _above_zero), kvp.one("RESY", _above_zero))
    return (kvp.one("WIDTH", positive), kvp.one("HEIGHT", positive)), None


def _above_zero(text: str) -> float:
    value = number(text)
    if value <= 0:
        raise ValueError(f"'{text}' is not above zero")
    return value


def _crs(text: str) -> Crs:
    return Crs.parse("OGC:CRS84" if text.strip().upper() in _DEGREES else text)


def _box(text: str) -> Box:
    match [number(part) for part in text.split(",")]:
        case [left, bottom, right, top]:
            return Box((left, bottom, right, top))
        case [left, bottom, right, top, low, high]:
            return Box((left, bottom, right, top), (low, high))
        case numbers:
            raise ValueError(f"{len(numbers)} numbers are given; four are needed, or six")


def _interpolation(text: str) -> Interpolation | None:
    name = text.strip().lower().replace("+", " ")
    if name not in _METHODS:
        raise ValueError(f"it is not offered; offered are {', '.join(_METHODS)}")
    return _METHODS[name]
