"""Retention: which slices of a cube are kept for how long, and why the others go.

The age of a slice counts from its own time. It goes when the rule of every granule in it says so:
the first rule that fits the granule's product, the region and its timeliness. Drafts (near real
time) also go some time after the final product of the same acquisition has come. What is on hold
stays.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Literal

from datacube.model.time import format_tick
from datacube.store.cube import CubeStore
from datacube.store.history import read_slice_document
from datacube.store.manifest import SourceRecord
from datacube.store.slices import Slice
from datacube.store.together import asked_together

type Unit = Literal["hours", "days", "weeks", "months", "years"]
type Timeliness = Literal["draft", "final", "unknown"]

_DRAFTS = frozenset({"NRT", "NR", "NRTI", "DRAFT"})
_FINALS = frozenset({"NTC", "NT", "OFFL", "RPRO", "FINAL"})
_IN_NAME = re.compile(r"S5P_(NRTI|OFFL|RPRO)_|_O_(NR|ST|NT)_")


@dataclass(frozen=True, slots=True)
class Age:
    """A length of time as people count it.

    Examples
    --------
    >>> Age(1, "months").before(datetime(2026, 3, 31, tzinfo=UTC)).date().isoformat()
    '2026-02-28'
    """

    count: int
    unit: Unit

    def before(self, now: datetime) -> datetime:
        """The instant so long before another one."""
        if self.unit in {"months", "years"}:
            months = (
                now.year * 12 + now.month - 1 - self.count * (12 if self.unit == "years" else 1)
            )
            year, month = divmod(months, 12)
            if year < 1:
                return datetime.min.replace(tzinfo=UTC)
            following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
            last = (following - timedelta(days=1)).day
            return now.replace(year=year, month=month + 1, day=min(now.day, last))
        return now - timedelta(**{self.unit: self.count})


@dataclass(frozen=True, slots=True)
class Rule:
    """How long some slices are kept.

    Parameters
    ----------
    keep : Age or None
        None: for ever.
    product : str
        Pattern of the granule's product, or of its id: ``S2*``.
    region, timeliness : str
        Name of a region, ``draft`` or ``final``; ``*`` fits all.
    """

    keep: Age | None
    product: str = "*"
    region: str = "*"
    timeliness: str = "*"


@dataclass(frozen=True, slots=True)
class Supersession:
    """When drafts go: some time after the final slice has come, which lies so near in time."""

    after: Age
    product: str = "*"
    tolerance: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Hold:
    """Slices that stay whatever the rules say.

    Parameters
    ----------
    reason : str
    cube : str, a pattern
    first, last : str, ISO 8601; empty: open
    """

    reason: str
    cube: str = "*"
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept for how long.

    Parameters
    ----------
    rules : tuple of Rule
        The first that fits counts; where none does, a slice stays.
    supersessions : tuple of Supersession
    holds : tuple of Hold
    regions : name -> (west, south, east, north)
        The first that holds the middle of a slice counts.
    """

    rules: tuple[Rule, ...] = ()
    supersessions: tuple[Supersession, ...] = ()
    holds: tuple[Hold, ...] = ()
    regions: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expiry:
    """A slice that goes, or that only a hold keeps.

    Parameters
    ----------
    cube : str
    ticks : int
    time : str
        ISO 8601.
    cause : str
        Which rule says so.
    bytes : int
        Of its chunks.
    held : str
        Why it stays nevertheless; empty: it goes.
    """

    cube: str
    ticks: int
    time: str
    cause: str
    bytes: int
    held: str = ""


def expiries(cube: CubeStore, policy: Policy, now: datetime) -> list[Expiry]:
    """The slices of a cube that a policy ends, in order of time; nothing is changed.

    Parameters
    ----------
    cube : CubeStore
    policy : Policy
    now : datetime
    """
    time = cube.description.domain.time
    if time is None:
        return []
    granules = cube.record.granules
    finals = _Finals(granules)
    going: list[tuple[Slice, str, str]] = []
    for one in cube.record.slices:
        if one.ticks is None:
            continue
        iso = format_tick(one.ticks, time.calendar)
        own = granules.get(one.ticks) or [SourceRecord("")]
        cause = _outlived(cube, policy, own, iso, now)
        cause = cause or _superseded(policy, one.ticks, own, finals, now)
        if cause:
            going.append((one, iso, cause))

    def expiry(of: tuple[Slice, str, str]) -> Expiry:
        one, iso, cause = of
        size = read_slice_document(cube.store, cube.id, one.name).stored_bytes
        return Expiry(cube.id, one.ticks or 0, iso, cause, size, _held(policy, cube.id, iso))

    return list(asked_together(cube.store, expiry, going))


def delete_expired(cube: CubeStore, found: Sequence[Expiry]) -> int:
    """Delete what goes, in one commit; how many slices that were."""
    going = [one for one in found if not one.held]
    if going:
        with cube.transaction("retention") as tx:
            tx.delete_all({one.ticks: one.cause for one in going})
    return len(going)


def timeliness_of(record: SourceRecord) -> Timeliness:
    """Whether a granule is a draft (near real time) or final, by what it or its name says.

    Examples
    --------
    >>> timeliness_of(SourceRecord("S3A_OL_2_LFR____20200601T100000_O_NR_002.SEN3"))
    'draft'
    >>> timeliness_of(SourceRecord("a", attributes={"timeliness": "NTC"}))
    'final'
    """
    said = record.attributes.get("timeliness", "")
    for text in () if said else (record.id, record.uri):
        named = _IN_NAME.search(text)
        said = said or (next(filter(None, named.groups())) if named else "")
    if said.upper() in _DRAFTS:
        return "draft"
    return "final" if said.upper() in _FINALS else "unknown"


def _outlived(
    cube: CubeStore, policy: Policy, granules: Sequence[SourceRecord], iso: str, now: datetime
) -> str:
    """The rule by which a slice is too old; empty where one granule's rule keeps it."""
    causes = []
    for record in granules:
        region = _region(cube, policy, record)
        rule = next((one for one in policy.rules if _fits(one, record, region)), None)
        if rule is None or rule.keep is None or iso >= _text(rule.keep.before(now)):
            return ""
        kinds = (
            f"product {rule.product}",
            f"region {rule.region}",
            f"timeliness {rule.timeliness}",
        )
        which = ", ".join(kind for kind in kinds if not kind.endswith("*") or kind == kinds[0])
        causes.append(f"older than {rule.keep.count} {rule.keep.unit} ({which})")
    return causes[0]


def _fits(rule: Rule, record: SourceRecord, region: str) -> bool:
    return (
        _is(record, rule.product)
        and rule.region in {"*", region}
        and rule.timeliness in {"*", timeliness_of(record)}
    )


def _is(record: SourceRecord, product: str) -> bool:
    return any(fnmatchcase(name, product) for name in (record.product, record.id))


def _superseded(
    policy: Policy,
    ticks: int,
    own: Sequence[SourceRecord],
    finals: "_Finals",
    now: datetime,
) -> str:
    """The final granule for which a draft has made way; empty where there is none."""
    if any(timeliness_of(record) != "draft" for record in own):
        return ""
    for rule in policy.supersessions:
        if not all(_is(record, rule.product) for record in own):
            continue
        until = _text(rule.after.before(now))[:19]
        for record in finals.of(ticks, own, rule.tolerance):
            if record.ingested[:19] <= until:
                ago = f"{rule.after.count} {rule.after.unit}"
                return f"superseded by {record.id} more than {ago} ago"
    return ""


class _Finals:
    """The final granules of a cube, by the name of their acquisition, else by their times."""

    def __init__(self, granules: Mapping[int | None, Sequence[SourceRecord]]) -> None:
        self._named: dict[str, list[tuple[int, SourceRecord]]] = {}
        self._timed: list[tuple[int, int, SourceRecord]] = []
        rows = ((ticks, record) for ticks, records in granules.items() for record in records)
        for number, (ticks, record) in enumerate(rows):
            if timeliness_of(record) != "final":
                continue
            if name := record.attributes.get("acquisition", ""):
                self._named.setdefault(name, []).append((number, record))
            elif ticks is not None:
                self._timed.append((ticks, number, record))
        self._timed.sort(key=itemgetter(0, 1))

    def of(
        self, mine: int, own: Sequence[SourceRecord], tolerance: timedelta
    ) -> Iterator[SourceRecord]:
        """Those of one acquisition with the granules of a time, in the order of the cube."""
        names = {one.attributes.get("acquisition", "") for one in own}
        found = [pair for name in names for pair in self._named.get(name, ())]
        reach = tolerance.total_seconds() * 1000
        first = bisect_left(self._timed, mine - reach, key=itemgetter(0))
        after = bisect_right(self._timed, mine + reach, key=itemgetter(0))
        found += [(number, one) for at, number, one in self._timed[first:after] if at != mine]
        return (record for _, record in sorted(found, key=itemgetter(0)))


def _held(policy: Policy, cube_id: str, iso: str) -> str:
    for hold in policy.holds:
        first, last, time = (text.removesuffix("Z") for text in (hold.first, hold.last, iso))
        inside = first <= time and (not last or time[: len(last)] <= last)
        if fnmatchcase(cube_id, hold.cube) and inside:
            return hold.reason
    return ""


def _region(cube: CubeStore, policy: Policy, record: SourceRecord) -> str:
    """The first region that holds the middle of a granule, else of the cube."""
    said = record.attributes.get("bbox", "")
    edges = tuple(map(float, said.split(","))) if said else ()
    west, south, east, north = edges or cube.description.domain.bbox.geographic().edges
    x, y = (west + (east if east >= west else east + 360)) / 2, (south + north) / 2
    x = (x + 180) % 360 - 180
    for name, (left, bottom, right, top) in policy.regions.items():
        if left <= x <= right and bottom <= y <= top:
            return name
    return ""


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
