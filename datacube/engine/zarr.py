"""Cubes as Zarr groups over HTTP: each object of a committed version, or as others wrote it."""

from dataclasses import dataclass
from hashlib import sha256

from datacube.engine.context import Context
from datacube.errors import OperationNotSupported, SnapshotNotFound
from datacube.store.committed import committed_object
from datacube.store.cube import CubeStore
from datacube.store.foreign_cube import ForeignCube


@dataclass(frozen=True, slots=True)
class ZarrObject:
    """An object of a cube's group.

    Parameters
    ----------
    data : bytes or None
        None where there is no such object.
    state : str
        Names the data together with the path: the cube's snapshot, or a digest of data that others
        may write over.
    pinned : bool
        Whether the request named the version, so that it will never change.
    """

    data: bytes | None
    state: str
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
    OperationNotSupported, RequestTooLarge
        A view of a forecast, or a chunk in a group of others that cannot be handed on.
    """
    identifier, at, number = name.partition("@")
    if at and not (number.isdecimal() and len(number) < 10):
        raise SnapshotNotFound(f"'{number[:40]}' is no version of '{identifier}'", subject=name)
    cube = context.catalog.cube(identifier).store
    if isinstance(cube, ForeignCube):
        if at:
            raise SnapshotNotFound(
                f"'{identifier}' lies in a Zarr group of others, which keeps no versions",
                subject=name,
            )
        data = cube.objects.get(path)
        return ZarrObject(data, "" if data is None else sha256(data).hexdigest(), pinned=False)
    if not isinstance(cube, CubeStore):
        raise OperationNotSupported(
            f"'{identifier}' is a view of a forecast: read the forecast itself",
            subject=identifier,
        )
    if at and int(number) != cube.version:
        cube = context.catalog.earlier(cube, int(number))
    return ZarrObject(committed_object(cube, path), cube.snapshot, bool(at))
