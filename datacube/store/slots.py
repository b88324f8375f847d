"""Who may write where: slots for slices, and layouts for whole cubes.

A slot is one place along the arrays' first dimension in one layout (key encoding). A writer takes
slots in the layout that the cube has now; whoever writes all slices anew takes a layout in which
there is nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np

from datacube.errors import ConflictError
from datacube.store.history import read_head, read_version
from datacube.store.keys import LAYOUTS, place_of
from datacube.store.layout import chunk_counts, chunk_key
from datacube.store.manifest import Head, Version
from datacube.store.objects import Claim, ObjectStore
from datacube.store.tables import slot_name
from datacube.store.together import asked_together

_HISTORY = "history"
_MOST = 32
_QUICK = 60.0  # seconds

SERIES_CLAIM = "series-"
"""How the claims begin that say that segments of the series copy are being made."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a slice, claimed."""

    layout: int
    number: int
    claim: Claim


def claim_key(cube_id: str, name: str) -> str:
    """Key of a claim; every claim of a cube lies in one folder."""
    return f"{cube_id}/manifest/claims/{name}"


def slot_key(cube_id: str, slot: int, layout: int) -> str:
    """Key of the claim of a slot."""
    return claim_key(cube_id, slot_name(slot, layout))


def layout_key(cube_id: str, layout: int) -> str:
    """Key of the claim of a whole layout."""
    return claim_key(cube_id, f"layout-{layout}")


def claim_series(store: ObjectStore, cube_id: str) -> Claim | None:
    """A claim that says that segments of the series copy are being made; many may hold one."""
    return store.claim(claim_key(cube_id, f"{SERIES_CLAIM}{uuid4().hex[:12]}"))


class Slots:
    """The slots that one transaction takes.

    Parameters
    ----------
    store : ObjectStore
    head : Head
    base : Version
        At the head.
    clock : seconds that never go back

    Attributes
    ----------
    coming : int
        So many slices are known to come. Behind a network their slots are claimed some at a time,
        no more than are likely to be used in a minute or two.
    """

    def __init__(
        self,
        store: ObjectStore,
        head: Head,
        base: Version,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._head = head
        self._base = base
        self._clock = clock
        self._layout, self._next = base.layout, base.next_slot
        self._owned = False
        self._cleared = True
        self._claims: list[Claim] = []
        self._ready: deque[Slot] = deque()
        self._some, self._since = 1, -_QUICK
        self.coming = 0

    def own(self, layout: int, first: int, claim: Claim) -> None:
        """From now on take slots of a layout that is wholly ours."""
        self._owned = True
        self._layout, self._next = layout, first
        self._claims.append(claim)
        self._ready.clear()

    def take(self) -> Slot:
        """A slot that no version uses and no other writer has.

        Raises
        ------
        ConflictError
            One that was claimed earlier has been taken over.
        """
        while not self._ready:
            self._claim()
        self.coming -= 1
        slot = self._ready.popleft()
        slot.claim.renew()
        return slot

    def give_back(self, slot: Slot) -> None:
        """Let the next slice have a slot in which nothing has been kept."""
        self._ready.appendleft(slot)

    def _claim(self) -> None:
        """Claim some of the next slots."""
        layout, numbers = self._layout, range(self._next, self._next + self._at_once())
        keys = [slot_key(self._base.template.id, number, layout) for number in numbers]
        claims = asked_together(self._store, self._store.claim, keys)
        got = {number: one for number, one in zip(numbers, claims, strict=True) if one is not None}
        self._claims += got.values()
        free, first = self._free() if got else (layout, numbers.start)
        for number, claim in got.items():
            if free == layout and number >= first:
                if claim.left:
                    self._clear(layout, number)
                self._ready.append(Slot(layout, number, claim))
            else:  # committed since this transaction began
                self._claims.remove(claim)
                claim.release()
        stale = got and not self._ready
        self._layout, self._next = (free, first) if stale else (layout, numbers.stop)

    def _clear(self, layout: int, number: int) -> None:
        """Delete what a dead writer may have left in a slot: it is no data of the next slice."""
        cube_id, timed = self._base.template.id, self._base.timed
        self._cleared = False
        self._store.delete(
            chunk_key(cube_id, level, field, (number, *place) if timed else place, layout)
            for field, levels in self._base.arrays.items()
            for level, metadata in enumerate(levels)
            for place in np.ndindex(chunk_counts(metadata, timed=timed))
        )
        self._cleared = True

    def _at_once(self) -> int:
        """How many slots are claimed now: twice as many as last time where these went quickly."""
        if self._store.is_local:
            return 1
        now, since = self._clock(), self._since
        quick = now - since < _QUICK
        self._some = min(2 * self._some, _MOST) if quick else max(self._some // 2, 1)
        self._since = now
        return max(min(self._some, self.coming), 1)

    def hold_series(self) -> None:
        """Say that segments of the series copy are being made."""
        claim = claim_series(self._store, self._base.template.id)
        if claim is not None:
            self._claims.append(claim)

    def renew(self) -> None:
        """Make sure that every claim still holds.

        Raises
        ------
        ConflictError
            One ran out and another writer has it.
        """
        asked_together(self._store, lambda claim: claim.renew(), self._claims)

    def release(self, *, clean: bool = True) -> None:
        """Give everything back; never fails.

        Parameters
        ----------
        clean : bool
            Whether nothing is left where nothing was committed.
        """

        def back(claim: Claim) -> None:
            claim.release() if clean and self._cleared else claim.abandon()

        asked_together(self._store, back, self._claims)
        self._claims.clear()
        self._ready.clear()

    def _free(self) -> tuple[int, int]:
        """The layout of new slices, and its first slot that no version uses."""
        if self._owned:
            return self._layout, self._next
        head = read_head(self._store, self._base.template.id)
        newest = self._base
        if head != self._head:
            newest = read_version(self._store, self._base.template.id, head.manifest)
        return newest.layout, newest.next_slot


def take_layout(store: ObjectStore, version: Version) -> tuple[int, Claim]:
    """A layout in which a cube has no chunk, and in which nobody writes.

    Raises
    ------
    ConflictError
        There is none: others are at it, or what earlier versions used is still there.
    """
    cube_id = version.template.id
    with ExitStack() as claims:
        taken: dict[int, Claim] = {}
        for layout in range(len(LAYOUTS)):
            claim = store.claim(layout_key(cube_id, layout))
            if claim is not None:
                taken[layout] = claim
                claims.callback(claim.release)
        kept = {version.layout, *(one.layout for one in version.slices)}
        used = kept | layouts_in(store.list(cube_id), version)
        free = [layout for layout in taken if layout not in used]
        if free:
            claims.pop_all()
            for layout, claim in taken.items():
                if layout != free[0]:
                    claim.release()
            return free[0], taken[free[0]]
    raise ConflictError(
        f"cube '{cube_id}' still holds objects of {len(LAYOUTS)} layouts; collect those that no "
        "version needs first (datacube gc), then write it anew",
        subject=cube_id,
    )


def layouts_in(keys: Iterable[str], version: Version) -> set[int]:
    """The layouts in which there are chunks of fields, or claims."""
    root = f"{version.template.id}/"
    claims = f"{root}manifest/claims/"
    found = set()
    for key in keys:
        if key.startswith(claims):
            name = key.removeprefix(claims)
            if name[:1].isdigit():
                found.add(int(name[0]) if name[1:2] == "-" else 0)
            continue
        place = place_of(key.removeprefix(root))
        if place is not None and place.field in version.arrays:
            found.add(place.layout)
    return found


def writing_since(store: ObjectStore, cube_id: str) -> datetime | None:
    """Since when slices of a cube are being written; None: they are not.

    The oldest claim that a writer holds now counts. What has not been renewed for 15 minutes on
    object storage, or belongs to a process of this machine that died, counts no more. Nothing is
    written to find out.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str

    Raises
    ------
    StorageError
        The storage cannot be listed or read.
    """
    times = asked_together(store, store.claimed_since, _claims_of_writers(store, cube_id))
    first = min((one for one in times if one is not None), default=None)
    return None if first is None else datetime.fromtimestamp(first, UTC)


def check_unwritten(store: ObjectStore, cube_id: str) -> None:
    """Refuse a cube of which slices are being written.

    Raises
    ------
    ConflictError
        They are.
    """
    since = writing_since(store, cube_id)
    if since is not None:
        raise ConflictError(
            f"cube '{cube_id}' is being written since {since:%Y-%m-%dT%H:%M:%SZ}; try again when "
            "that is done",
            subject=cube_id,
        )


def remove_dead_claims(store: ObjectStore, cube_id: str) -> None:
    """Remove the claims that writers left who died.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str

    Raises
    ------
    StorageError
        The storage cannot be listed or written.
    """
    for key in _claims_of_writers(store, cube_id):
        claim = store.claim(key)
        if claim is not None:
            claim.release()


def _claims_of_writers(store: ObjectStore, cube_id: str) -> list[str]:
    """Keys of claims of slots, of layouts, and of the series copy; there are other files too."""
    folder = claim_key(cube_id, "")
    found = []
    for one in store.listing(folder.rstrip("/")):
        name = one.key.removeprefix(folder)
        beside = name.startswith(".") or name.endswith(".tmp") or "-probe-" in name
        if not beside and name != _HISTORY:
            found.append(one.key)
    return found


@contextmanager
def hold_history(store: ObjectStore, cube_id: str) -> Iterator[None]:
    """While old versions are brought back or removed, nobody else does either.

    Raises
    ------
    ConflictError
        Somebody does.
    """
    claim = store.claim(claim_key(cube_id, _HISTORY))
    if claim is None:
        raise ConflictError(
            f"old versions of cube '{cube_id}' are being collected or brought back by another "
            "process; try again when it is done",
            subject=cube_id,
        )
    try:
        yield
    finally:
        claim.release()
