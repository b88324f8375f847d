"""Going back to an earlier version, and bringing the plain Zarr path up to the newest one."""

import contextlib
from dataclasses import replace

from datacube.errors import ConflictError, StorageError
from datacube.store.commit import Change, commit, update_plain
from datacube.store.cube import CubeStore, open_cube
from datacube.store.history import find_version, read_head, read_version
from datacube.store.home import changeable, keeps_order, locate
from datacube.store.manifest import Head, Version
from datacube.store.objects import ObjectStore
from datacube.store.regrow import relaid
from datacube.store.slots import Slots, hold_history, take_layout
from datacube.store.writer import Uploader

_TRIES = 3


def rollback(store: ObjectStore, cube_id: str, number: int) -> CubeStore:
    """Make a new version that holds what an earlier one held; nothing is lost.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str
    number : int

    Raises
    ------
    SnapshotNotFound
        There is no such version (any more).
    ConflictError
        Another writer commits meanwhile, or objects are being collected.
    """
    home, _ = locate(store, cube_id)
    with hold_history(home, cube_id):
        head = read_head(home, cube_id)
        base = read_version(home, cube_id, head.manifest)
        then = find_version(home, cube_id, number)
        wanted = read_version(home, cube_id, then.manifest)
        # slots that were used since stay used, and the plain path shows what it shows
        whole = replace(wanted, next_slot=base.next_slot, layout=base.layout, plain=base.plain)
        message = f"roll back to version {number}"
        objects = changeable(home, then, wanted, back=True)
        commit(objects, base, head.manifest, Change({}, {}, message, whole=whole))
    return open_cube(store, cube_id)


def compact(store: ObjectStore, cube_id: str) -> CubeStore:
    """Let the plain Zarr path show the newest version again; that of Icechunk always does.

    Where times were inserted, replaced or deleted, every chunk is copied into another layout, in
    the order of time; the old one stays until it is collected as garbage.

    Parameters
    ----------
    store : ObjectStore
    cube_id : str

    Raises
    ------
    ConflictError
        Others commit all the time, or no layout is free.
    StorageError
        A chunk is damaged, or the storage failed.
    """
    home, _ = locate(store, cube_id)
    for attempt in () if keeps_order(home) else range(_TRIES):
        head = read_head(store, cube_id)
        base = read_version(store, cube_id, head.manifest)
        if base.in_order:
            update_plain(store, base, first=True)
            break
        try:
            _compact(store, head, base)
            break
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
    return open_cube(store, cube_id)


def _compact(store: ObjectStore, head: Head, base: Version) -> None:
    layout, claim = take_layout(store, base)
    slots, uploader = Slots(store, head, base), Uploader(store)
    slots.own(layout, 0, claim)
    prepared = False
    try:
        whole = relaid(store, uploader, base, layout, slots.renew)
        uploader.drain()
        slots.renew()
        store.sync(uploader.written)
        prepared = True
        commit(store, base, head.manifest, Change({}, {}, "compact", whole=whole))
    except BaseException as error:
        # once the head may name them, the copies stay
        if not prepared or isinstance(error, ConflictError):
            with contextlib.suppress(StorageError):
                uploader.discard(0)
        raise
    finally:
        uploader.close()
        slots.release()
