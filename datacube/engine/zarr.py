"""Cubes as Zarr groups over HTTP: each object of a committed version."""

from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.errors import OperationNotSupported, SnapshotNotFound
from datacube.store.committed import committed_object
from datacube.store.cube import CubeStore


@dataclass(frozen=True, slots=True)
class ZarrObject:
    """An object of a cube's group.

    Parameters
    ----------
    data : bytes or None
        None where there is no such object.
    snapshot : str
        Of the cube.
    pinned : bool
        Whether the request named the version, so that it will never change.
    """

    data: bytes | None
    snapshot: str
    pinned: bool


def zarr_object(context: Context, name: str, path: str) -> ZarrObject:
    """One object of a cube's group.

    Parameters
    ----------
    context : Context
    name : str
        Id of the cube; ``id@version`` for an earlier version or to stay at this one.
    path : str
        Below the group.

    Raises
    ------
    CoverageNotFound
        There is no such cube.
    SnapshotNotFound
        It does not have that version (any more).
    OperationNotSupported
        Others wrote it; it lies there as a Zarr group already.
    """
    identifier, at, number = name.partition("@")
    if at and not (number.isdecimal() and len(number) < 10):
        raise SnapshotNotFound(f"'{number[:40]}' is no version of '{identifier}'", subject=name)
    cube = context.catalog.cube(identifier).store
    if not isinstance(cube, CubeStore):
        raise OperationNotSupported(
            f"cube '{identifier}' lies in the store as a Zarr group already: read it there",
            subject=identifier,
        )
    if at and int(number) != cube.version:
        cube = context.catalog.earlier(cube, int(number))
    return ZarrObject(committed_object(cube, path), cube.snapshot, bool(at))
