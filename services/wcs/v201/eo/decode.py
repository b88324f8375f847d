"""DescribeEOCoverageSet (10-140r1, 7.5): which datasets are wanted."""

from dataclasses import dataclass
from math import ceil, floor

from datacube.errors import AxisNotFound, InvalidCrs, InvalidParameter, InvalidSubset
from datacube.model.bbox import BoundingBox
from datacube.model.crs import CRS84
from datacube.model.time import TimeRange, Timestamp
from services.ows.kvp import Kvp, comma_list, number, positive, word
from services.wcs.subsets import Bracket, horizontal_crs, parse_brackets
from services.wcs.v201.decode import coverage_id

COUNT_DEFAULT = 100
"""Descriptions of an answer at most, whatever is asked for."""
SECTIONS = ("CoverageDescriptions", "DatasetSeriesDescriptions")
MOST_IDS = 1000
_AXES = {
    **dict.fromkeys(("lat", "latitude", "y"), "Lat"),
    **dict.fromkeys(("long", "lon", "longitude", "x"), "Long"),
    **dict.fromkeys(("phenomenontime", "time", "t", "ansi"), "phenomenonTime"),
}
_ROUND, _FAR = 360.0, 1e6  # degrees


@dataclass(frozen=True, slots=True)
class SetRequest:
    """Which coverages and series are to be described.

    Parameters
    ----------
    ids : tuple of str, of series and of datasets
    sections : frozenset of str
    within : bool
        Whether a dataset must lie in the box and the times, not only share something with them.
    box : BoundingBox or None, degrees; its left edge is beyond its right one where it crosses
        the antimeridian
    times : TimeRange or None
    count, start : int, how many descriptions, after how many that are passed over
    """

    ids: tuple[str, ...]
    sections: frozenset[str]
    within: bool = False
    box: BoundingBox | None = None
    times: TimeRange | None = None
    count: int = COUNT_DEFAULT
    start: int = 0


def coverage_set(kvp: Kvp) -> SetRequest:
    """The parameters of DescribeEOCoverageSet.

    Raises
    ------
    MissingParameter, InvalidParameter
        One is missing or cannot be read.
    AxisNotFound, InvalidSubset, InvalidTime, InvalidCrs
        A subset is of another axis, of another CRS than WGS 84, or runs backwards.
    """
    ids = tuple(coverage_id(text) for text in kvp.one("eoId", comma_list))
    if len(ids) > MOST_IDS:
        raise InvalidParameter(
            f"{len(ids)} ids are too many; at most {MOST_IDS} can be asked at once", subject="eoId"
        )
    containment = kvp.optional("containment", word("overlaps", "contains"), "overlaps")
    ends = _subsets(kvp)
    return SetRequest(
        ids,
        _sections(kvp),
        containment == "contains",
        _box(ends),
        _times(ends.get("phenomenonTime")),
        min(kvp.optional("count", _whole, COUNT_DEFAULT), COUNT_DEFAULT),
        kvp.optional("startIndex", _whole, 0),
    )


def _whole(text: str) -> int:
    return 0 if text.strip() == "0" else positive(text)


def _sections(kvp: Kvp) -> frozenset[str]:
    """The sections wanted, in the spelling of some clients too: ``section``."""
    named = kvp.optional("sections" if "sections" in kvp else "section", _section_names, ("All",))
    return frozenset(SECTIONS if "All" in named else named)


def _section_names(text: str) -> tuple[str, ...]:
    return tuple(word(*SECTIONS, "All")(one) for one in comma_list(text))


def _subsets(kvp: Kvp) -> dict[str, Bracket]:
    parts = kvp.many("subset", parse_brackets, numbered=True)
    found: dict[str, Bracket] = {}
    for bracket in (one for part in parts for one in part):
        name = _AXES.get(bracket.axis.lower())
        if name is None:
            raise AxisNotFound(
                f"no axis '{bracket.axis[:100]}'; sets are trimmed along Lat, Long and "
                "phenomenonTime",
                subject=bracket.axis[:100],
            )
        if name in found:
            raise InvalidSubset(f"{name} is trimmed twice; give one trim", subject=name)
        found[name] = bracket
    return found


def _box(ends: dict[str, Bracket]) -> BoundingBox | None:
    if not ends.keys() & {"Lat", "Long"}:
        return None
    first, last = _degrees(ends.get("Lat"))
    south = -90.0 if first is None else max(first, -90.0)
    north = 90.0 if last is None else min(last, 90.0)
    if south > north:
        raise _backwards(ends["Lat"], "-90 to 90")
    west, east = _eastward(*_degrees(ends.get("Long")))
    return BoundingBox(west, south, east, north, CRS84).geographic()


def _eastward(west: float | None, east: float | None) -> tuple[float, float]:
    """Longitudes of which the second is not the smaller one; the antimeridian for an open end.

    Examples
    --------
    >>> _eastward(170.0, -170.0), _eastward(190.0, None), _eastward(None, 0.0)
    ((170.0, 190.0), (190.0, 540.0), (-180.0, 0.0))
    """
    if west is None:
        west = _ROUND * _turns(east) - 180.0
    if east is None:
        east = _ROUND * _turns(west) + 180.0
    return west, east + max(ceil((west - east) / _ROUND), 0) * _ROUND


def _turns(longitude: float | None) -> int:
    """How often the globe is gone round before a longitude."""
    if longitude is None or abs(longitude) <= 180.0:
        return 0
    return floor((longitude + 180.0) / _ROUND)


def _degrees(bracket: Bracket | None) -> tuple[float | None, float | None]:
    """Both ends, None where open."""
    if bracket is None:
        return None, None
    if bracket.crs and not horizontal_crs(bracket.crs).same_plane(CRS84):
        raise InvalidCrs(
            f"{bracket.axis} is in {bracket.crs[:100]}; sets are trimmed in EPSG:4326",
            subject=bracket.axis,
        )
    first, last = (_degree(bracket, text) if text else None for text in _two(bracket))
    return first, last


def _degree(bracket: Bracket, text: str) -> float:
    try:
        value = number(text)
    except ValueError as error:
        raise InvalidSubset(
            f"{bracket.axis}: '{text[:100]}' is no number", subject=bracket.axis
        ) from error
    if abs(value) > _FAR:
        raise InvalidSubset(f"{bracket.axis}: {value:g} is nowhere", subject=bracket.axis)
    return value


def _times(bracket: Bracket | None) -> TimeRange | None:
    if bracket is None:
        return None
    begin, end = (Timestamp.parse(text) if text else None for text in _two(bracket))
    times = TimeRange(begin, end)
    first, last = times.span("standard")
    if first is not None and last is not None and first > last:
        raise _backwards(bracket, "the earlier time first")
    return times


def _two(bracket: Bracket) -> tuple[str, str]:
    """Texts of both ends; empty for an open one, twice the same for a slice."""
    texts = ["" if value.text in {"*", ".."} else value.text for value in bracket.values]
    if not 0 < len(texts) <= 2:
        raise InvalidSubset(
            f"{bracket} has {len(texts)} values; a trim has two", subject=bracket.axis
        )
    return texts[0], texts[-1]


def _backwards(bracket: Bracket, valid: str) -> InvalidSubset:
    return InvalidSubset(
        f"{bracket} ends before it begins; what is valid is {valid}", subject=bracket.axis
    )
