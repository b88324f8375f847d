"""Key-value requests of WCS 2.0.1 (09-147r3), read from top to bottom as the standard's tables."""

from collections.abc import Callable
from dataclasses import dataclass, field

from datacube.errors import InvalidCrs, InvalidInterpolation, InvalidParameter
from datacube.model.coverage import CoverageDescription
from datacube.model.crs import CRS84, Crs
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.geometry import Region
from datacube.model.query import (
    CoverageQuery,
    Interpolation,
    ScaleFactor,
    ScaleSize,
    Scaling,
    Subset,
    Trim,
)
from services.ows.kvp import Kvp, comma_list
from services.ows.selection import STANDARD, Selection, parse_selection
from services.wcs.errors import IllegalFieldSequence, OutputCrsNotSupported
from services.wcs.extras import Extras, decode_extras
from services.wcs.scaling import AxisScaling, decode_scaling
from services.wcs.subsets import Bracket, bind, horizontal_crs, parse_brackets

SECTIONS = (
    "ServiceIdentification",
    "ServiceProvider",
    "OperationsMetadata",
    "ServiceMetadata",
    "Contents",
)
LISTS = ("CoverageSummary", "DatasetSeriesSummary")
"""Parts of the contents, which may be asked for by themselves (10-140r1, 7.2.1)."""
MOST_SUBSETS = 100
_ABSENT = frozenset({"", "none", "null"})
_METHODS: dict[str, Interpolation] = {
    "nearest": "nearest",
    "nearest-neighbor": "nearest",
    "nearest-neighbour": "nearest",
    "none": "nearest",
    "linear": "bilinear",
    "bilinear": "bilinear",
    "cubic": "cubic",
    "average": "average",
    "mode": "mode",
    "min": "min",
    "max": "max",
    "med": "med",
    "median": "med",
    "q1": "q1",
    "q3": "q3",
}


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """GetCoverage as written.

    Parameters
    ----------
    coverage : str
    brackets : tuple of Bracket, the subsets
    crs : of the subsets' numbers; None is the coverage's own
    range_subset : str, empty for all fields
    scaling : as asked, perhaps along one axis only
    media_type : str, empty for the native format
    multipart : bool, the GML description before the file
    output_crs : Crs or None
    interpolation : how values between cells are found
    selection : which cells trims take; a parameter of this server
    extras : its other parameters, and the layout of a GeoTIFF
    """

    coverage: str
    brackets: tuple[Bracket, ...] = ()
    crs: Crs | None = None
    range_subset: str = ""
    scaling: ScaleFactor | ScaleSize | AxisScaling | None = None
    media_type: str = ""
    multipart: bool = False
    output_crs: Crs | None = None
    interpolation: Interpolation = "nearest"
    selection: Selection = STANDARD
    extras: Extras = field(default_factory=Extras)


def sections(kvp: Kvp) -> frozenset[str]:
    """Sections of the capabilities that are wanted (OWS Common, table 7), and lists in them.

    Raises
    ------
    InvalidParameter
        There is no such section.
    """
    every = (*SECTIONS, *LISTS)
    named = kvp.optional("Sections", comma_list, ())
    if not named or "all" in {name.lower() for name in named}:
        return frozenset(every)
    known = {name.lower(): name for name in every}
    wrong = [name for name in named if name.lower() not in known]
    if wrong:
        raise InvalidParameter(
            f"there is no section '{wrong[0][:100]}'; there are {', '.join(every)}",
            subject="sections",
        )
    found = {known[name.lower()] for name in named}
    if "Contents" in found:
        found.update(LISTS)
    return frozenset(found | {"Contents"} if found & set(LISTS) else found)


def coverage_ids(kvp: Kvp) -> tuple[str, ...]:
    """CoverageId of DescribeCoverage: one or several."""
    return tuple(coverage_id(text) for text in kvp.one("coverageId", comma_list))


def coverage_id(text: str) -> str:
    """One identifier, also as some scripts send it: ``['sst']``.

    Examples
    --------
    >>> coverage_id("['sst']"), coverage_id(" sst ")
    ('sst', 'sst')
    """
    return text.strip().removeprefix("[").removesuffix("]").strip("'\" ")


def get_coverage(kvp: Kvp) -> CoverageRequest:
    """The parameters of GetCoverage.

    Raises
    ------
    MissingParameter, InvalidParameter, InvalidSubset, InvalidScaling, InvalidCrs
        A parameter is missing or cannot be read.
    InvalidInterpolation
        A method that is not offered.
    """
    return CoverageRequest(
        kvp.one("coverageId", coverage_id),
        _brackets(kvp),
        _crs(kvp, "subsettingCrs", horizontal_crs),
        ",".join(kvp.many("rangeSubset")),
        decode_scaling(kvp),
        kvp.optional("format", _media_type, ""),
        kvp.optional("mediaType", _multipart, default=False),
        _crs(kvp, "outputCrs", _output_crs),
        kvp.optional("interpolation", _interpolation, "nearest"),
        kvp.optional("selection", parse_selection, STANDARD),
        decode_extras(kvp, _crs(kvp, "subsettingCrs", horizontal_crs) or CRS84),
    )


def bind_query(
    request: CoverageRequest, description: CoverageDescription, scaling: Scaling | None = None
) -> CoverageQuery:
    """The query that a request means on a coverage.

    Raises
    ------
    AxisNotFound, FieldNotFound, InvalidSubset, InvalidTime, InvalidCrs
        The request does not fit the coverage.
    """
    domain, clip = description.domain, request.extras.clip
    subsets = bind(request.brackets, domain, request.crs)
    if clip is not None:
        subsets = (*subsets, *_around(clip, subsets, domain))
    query = CoverageQuery(
        description.id,
        request.selection.applied(subsets, domain),
        field_names(request.range_subset, description.range_type),
        scaling,
        interpolation=request.interpolation,
        output_crs=request.output_crs,
    )
    return request.extras.applied(query, description.range_type)


def _around(region: Region, given: tuple[Subset, ...], domain: DomainSet) -> tuple[Subset, ...]:
    """Trims of x and y to the box around a region, where neither is trimmed."""
    if any(isinstance(domain.axis(one.axis), str) for one in given):
        return ()
    left, bottom, right, top = region.bounds
    x_label, y_label = domain.grid.crs.labels
    return Trim(x_label, left, right, region.crs), Trim(y_label, bottom, top, region.crs)


def field_names(text: str, fields: RangeType) -> tuple[str, ...]:
    """Fields of ``B08,B02:B04``, in the order asked, each once (12-040, 7.2).

    Raises
    ------
    FieldNotFound
        There is no such field.
    IllegalFieldSequence
        An interval ends before it starts.

    Examples
    --------
    >>> from datacube.model.fields import Field
    >>> bands = RangeType(tuple(Field(name, "uint16") for name in ("B02", "B03", "B04", "B08")))
    >>> field_names("B08,B02:B04", bands)
    ('B08', 'B02', 'B03', 'B04')
    """
    names: list[str] = []
    for part in comma_list(text) if text else ():
        low, colon, high = (piece.strip(" \"'") for piece in part.partition(":"))
        first = fields.names.index(fields.field(low).name)
        last = fields.names.index(fields.field(high).name) if colon else first
        if last < first:
            raise IllegalFieldSequence(
                f"the interval {part} runs backwards; the fields are {', '.join(fields.names)}",
                subject=part,
            )
        names += fields.names[first : last + 1]
    return tuple(dict.fromkeys(names))


def _brackets(kvp: Kvp) -> tuple[Bracket, ...]:
    parts = kvp.many("subset", parse_brackets, numbered=True)
    found = tuple(bracket for part in parts for bracket in part)
    if len(found) > MOST_SUBSETS:
        raise InvalidParameter(
            f"{len(found)} subsets are too many; each axis needs one at most", subject="subset"
        )
    return found


def _media_type(text: str) -> str:
    """A format; a client without a wish sends its language's word for nothing."""
    return "" if text.strip().lower() in _ABSENT else text.strip()


def _multipart(text: str) -> bool:
    if text.strip().lower() in _ABSENT:
        return False
    if text.partition(";")[0].strip().lower() != "multipart/related":
        raise InvalidParameter(
            f"the media type '{text[:100]}' is not offered; it can be multipart/related",
            subject="mediaType",
        )
    return True


def _crs(kvp: Kvp, name: str, parse: Callable[[str], Crs]) -> Crs | None:
    """A CRS, which is said once at most (11-053r1, requirements 8 and 11)."""
    if len(kvp.values(name)) > 1:
        raise InvalidParameter(f"{name} is given more than once; give it once", subject=name)
    return kvp.optional(name, parse, None)


def _output_crs(text: str) -> Crs:
    try:
        return horizontal_crs(text)
    except InvalidCrs as error:
        raise OutputCrsNotSupported(error.message, subject=text[:100]) from error


def _interpolation(text: str) -> Interpolation:
    name = text.strip().rpartition("/")[2].lower()
    if (method := _METHODS.get(name)) is None:
        raise InvalidInterpolation(
            f"the interpolation '{text[:100]}' is not offered; offered are "
            f"{', '.join(dict.fromkeys(_METHODS.values()))}",
            subject="interpolation",
        )
    return method
