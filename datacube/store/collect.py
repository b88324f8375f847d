"""Removing what no version needs: old versions, their chunks, and what dead writers left.

What a writer has under way is safe because it holds claims: on its slots, on a layout, or on the
making of segments. Readers are safe because a version stays for a while after it was superseded.
Objects are listed first and the head is read again last, so whatever was committed in between is
kept.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from datacube.store.history import documents, read_head
from datacube.store.home import locate
from datacube.store.icechunk.expire import expire, free
from datacube.store.icechunk.repository import IcechunkObjects
from datacube.store.keys import LAYOUTS, place_of
from datacube.store.layout import horizontal_names
from datacube.store.manifest import Head, Version
from datacube.store.objects import Listed, ObjectStore
from datacube.store.slots import (
    SERIES_CLAIM,
    claim_key,
    hold_history,
    layout_key,
    slot_key,
)
from datacube.store.tables import segment_key, slice_key, slot_of

GRACE = timedelta(hours=1)
"""How long a version stays after it was superseded: readers may still be at it."""

type Place = tuple[int, int]
"""(layout, slot)"""


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, or would be.

    Parameters
    ----------
    cube : str
    kept, expired : tuple of int
        Numbers of versions, the newest first.
    objects, bytes : int
    busy : int
        Objects that may go but that a writer holds now.
    """

    cube: str
    kept: tuple[int, ...]
    expired: tuple[int, ...]
    objects: int
    bytes: int
    busy: int


def collect(
    store: ObjectStore,
    cube_id: str,
    *,
    keep: int | None = None,
    older_than: timedelta | None = None,
    grace: timedelta = GRACE,
    dry_run: bool = False,
) -> Collected:
    """Remove old versions of a cube and everything that no remaining one needs.

    Without ``keep`` and ``older_than`` every version stays, and only what dead writers have left
    goes. What the plain Zarr path shows stays too, except times that were deleted.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    keep : int, optional
        So many versions stay, the newest ones; at least 1.
    older_than : timedelta, optional
        Versions go that were superseded longer ago.
    grace : timedelta
        Versions that were superseded less long ago stay in any case.
    dry_run : bool
        Only count.

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    ConflictError
        Another process collects, or brings an old version back.
    """
    store, _ = locate(store, cube_id)
    with ExitStack() as held:
        if not dry_run:
            held.enter_context(hold_history(store, cube_id))
        rule = _Rule(keep, older_than, grace)
        if isinstance(store, IcechunkObjects):
            return _collected(store, cube_id, rule, dry_run=dry_run)
        listed = store.listing(cube_id)
        needed = _Needed.of(store, cube_id, rule)
        found = [one for one in listed if not needed.needs(one, grace)]
        free = found
        if not dry_run:
            claims = _Claims(store, needed.newest, listed, found, held)
            if read_head(store, cube_id) != needed.head:
                needed = _Needed.of(store, cube_id, rule)
            free = [one for one in found if claims.free(one) and not needed.needs(one, grace)]
            _remove(store, needed, free)
    size = sum(one.bytes for one in free)
    busy = len(found) - len(free)
    return Collected(cube_id, needed.kept, needed.expired, len(free), size, busy)


def _remove(store: ObjectStore, needed: "_Needed", free: Collection[Listed]) -> None:
    """Delete objects; whatever stops it, the versions that can still be found are whole."""
    if needed.newest_expired:
        store.delete([needed.newest_expired])  # no older one is found without it
        store.sync([f"{needed.newest.template.id}/{needed.head.manifest}"])
    store.delete([one.key for one in free])


def _collected(store: IcechunkObjects, cube_id: str, rule: "_Rule", *, dry_run: bool) -> Collected:
    """The same in an Icechunk repository; a dry run counts only what is garbage already."""
    needed = _Needed.of(store, cube_id, rule)
    if needed.expired and not dry_run:
        expire(store, needed.kept)
    count, size = free(store, rule.grace, dry_run=dry_run)
    return Collected(cube_id, needed.kept, needed.expired, count, size, 0)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which versions stay."""

    keep: int | None
    older_than: timedelta | None
    grace: timedelta

    def stays(self, place: int, superseded: str) -> bool:
        """Whether a version does: how many are newer, and when the next one was committed."""
        if not superseded:
            return True
        age = datetime.now(UTC) - datetime.fromisoformat(superseded)
        if age < self.grace or (self.keep is None and self.older_than is None):
            return True
        newest = self.keep is not None and place < self.keep
        return newest or (self.older_than is not None and age < self.older_than)


@dataclass(eq=False)
class _Needed:
    """What the versions that stay need."""

    head: Head
    newest: Version
    kept: tuple[int, ...] = ()
    expired: tuple[int, ...] = ()
    newest_expired: str = ""
    places: set[Place] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
    segments: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    @staticmethod
    def of(store: ObjectStore, cube_id: str, rule: _Rule) -> "_Needed":
        head = read_head(store, cube_id)
        made: _Needed | None = None
        superseded, expiring = "", False
        for number, (one, preface, whole) in enumerate(documents(store, cube_id, head)):
            made = made or _Needed(head, whole())
            made.names |= preface.fields
            expiring = expiring or not rule.stays(number, superseded)
            superseded = preface.committed
            if expiring:
                made.newest_expired = made.newest_expired or f"{cube_id}/{one.manifest}"
                made.expired = (*made.expired, one.version)
            else:
                made.add(one, whole() if number else made.newest)
        assert made is not None  # noqa: S101  the head names a version that was read
        made.add_plain()
        return made

    def add(self, head: Head, version: Version) -> None:
        """A version that stays."""
        cube_id = version.template.id
        self.kept = (*self.kept, head.version)
        self.documents.add(f"{cube_id}/{head.manifest}")
        self.documents |= {slice_key(cube_id, one.name) for one in version.slices}
        self.places |= {(one.layout, one.slot) for one in version.slices}
        for segment in version.series.segments if version.series else ():
            names = segment.documents.values()
            self.documents |= {segment_key(cube_id, name) for name in names}
            self.segments |= {name.rpartition("-")[0] for name in names}

    def add_plain(self) -> None:
        """What the plain Zarr path shows."""
        layout = self.newest.layout
        deleted = {one.slot for one in self.newest.deletions if one.layout == layout}
        self.places |= {(layout, slot) for slot in range(self.newest.plain) if slot not in deleted}

    def needs(self, one: Listed, grace: timedelta) -> bool:
        """Whether an object stays."""
        cube_id = self.newest.template.id
        path = one.key.removeprefix(f"{cube_id}/")
        if path.endswith(".tmp"):
            return time.time() - one.written < max(grace, GRACE).total_seconds()
        folder, _, rest = path.partition("/")
        match folder:
            case "manifest":
                return self._needs_document(one, rest, grace)
            case "series":
                parts = rest.split("/")
                return len(parts) < 3 or parts[1] in self.segments
            case _:
                return self._needs_chunk(path)

    def _needs_document(self, one: Listed, rest: str, grace: timedelta) -> bool:
        if rest.startswith("versions/"):
            number = int(rest.removeprefix("versions/").partition("-")[0])
            if number > self.head.version:  # its writer may be about to swap the head
                return time.time() - one.written < max(grace, GRACE).total_seconds()
            return one.key in self.documents
        if rest.startswith(("slices/", "segments/")):
            return one.key in self.documents
        return not (rest.startswith("claims/") and "-probe-" in rest)

    def _needs_chunk(self, path: str) -> bool:
        place = place_of(path)
        if place is None:
            return True
        if place.field in self.names:
            return (place.layout, place.slot if self.newest.timed else 0) in self.places
        shown = self.newest.in_order and place.field in self._coordinates()
        # short names are the same in two layouts
        return not shown or LAYOUTS[place.layout][0] == LAYOUTS[self.newest.layout][0]

    def _coordinates(self) -> Collection[str]:
        domain = self.newest.template.domain
        axes = (axis.name for axis in domain.axes)
        return {*horizontal_names(domain.grid), *axes, "spatial_ref"}


class _Claims:
    """Claims on everything that may go, so that nobody writes there; some are others'.

    Parameters
    ----------
    store : ObjectStore
    newest : Version
    listed, found : collection of Listed
        All objects; those that may go.
    held : ExitStack
        Releases the claims.
    """

    def __init__(
        self,
        store: ObjectStore,
        newest: Version,
        listed: Collection[Listed],
        found: Collection[Listed],
        held: ExitStack,
    ) -> None:
        self._newest = newest
        self._cube_id = newest.template.id
        folder = claim_key(self._cube_id, "")
        known = {one.key for one in listed if one.key.startswith(folder)}
        wanted = {key for key in known if "-probe-" not in key} | set(self._needed(found))
        self._busy = set()
        for key in wanted - {claim_key(self._cube_id, "history")}:
            claim = store.claim(key)
            if claim is None:
                self._busy.add(key)
            else:
                held.callback(claim.release)
        self._series = any(key.startswith(f"{folder}{SERIES_CLAIM}") for key in self._busy)

    def free(self, one: Listed) -> bool:
        """Whether no writer has an object."""
        path = one.key.removeprefix(f"{self._cube_id}/")
        place = self._place(path)
        if place is None:
            return not (self._series and path.startswith(("series/", "manifest/segments/")))
        layout, slot = place
        keys = {slot_key(self._cube_id, slot, layout), layout_key(self._cube_id, layout)}
        return not keys & self._busy

    def _needed(self, found: Collection[Listed]) -> Iterator[str]:
        """Slots that a writer could take now, and layouts that could be written anew."""
        for one in found:
            place = self._place(one.key.removeprefix(f"{self._cube_id}/"))
            if place is None:
                continue
            layout, slot = place
            if layout != self._newest.layout:
                yield layout_key(self._cube_id, layout)
            elif slot >= self._newest.next_slot:
                yield slot_key(self._cube_id, slot, layout)

    def _place(self, path: str) -> Place | None:
        """The slot to which a chunk or a slice document belongs."""
        if path.startswith("manifest/slices/"):
            return slot_of(path.removeprefix("manifest/slices/"))
        place = None if path.startswith(("manifest/", "series/")) else place_of(path)
        if place is None:
            return None
        return place.layout, place.slot if self._newest.timed else 0
