"""Files served where they lie: a repository whose chunks are parts of an HDF5 or NetCDF file.

The files must be allowed by whoever reads: ``DATACUBE_VIRTUAL_SOURCES`` lists folders and buckets,
since otherwise anybody who can write to a store could have a server read any file. Each reference
names the state in which the file was; one that has changed since is an error.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from math import ceil
from pathlib import Path
from typing import Any, override

import h5py
import numpy as np
import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from datacube.errors import ConflictError, SourceError
from datacube.store.icechunk.classic import MAGIC, read_classic
from datacube.store.icechunk.filearrays import FileArray
from datacube.store.icechunk.hdf import read_arrays, read_groups
from datacube.store.icechunk.library import BRANCH, failures, library
from datacube.store.icechunk.repository import Repository
from datacube.store.icechunk.session import Session
from datacube.store.icechunk.sources import (
    ALLOWED,
    allowed,
    container_of,
    is_allowed,
    location_of,
    path_of,
    place_of,
)
from datacube.store.objects import ObjectStore

_AHEAD = 1 << 20
_HDF5 = b"\x89HDF\r\n\x1a\n"


def is_file(url: str) -> bool:
    """Whether a URL or path is that of an HDF5 or NetCDF file.

    Raises
    ------
    SourceError
        It looks like one by its name but cannot be read.
    """
    if not url.lower().endswith((".nc", ".nc4", ".h5", ".hdf5", ".he5", ".cdf")):
        return False
    try:
        with _opened(url) as file:
            start = file.read(len(_HDF5))
            return bool(start == _HDF5 or start[:4] in MAGIC)
    except (OSError, BaseError) as error:
        raise SourceError(f"{url} cannot be read: {error}", subject=url) from error


def refer(store: ObjectStore, url: str, cube_id: str) -> None:
    """Make a repository that refers to a file.

    Parameters
    ----------
    store : ObjectStore
    url : str
        Path or ``s3://`` URL of the file.
    cube_id : str
        Folder of the repository.

    Raises
    ------
    SourceError
        The file cannot be served so; the message says why.
    ConflictError
        The store has something of that name.
    """
    location = location_of(url)
    _check_allowed(location)
    if store.get_range(f"{cube_id}/repo", 0, 1) is not None:
        raise ConflictError(
            f"there is already a repository '{cube_id}' in {store.url}; give another --id",
            subject=cube_id,
        )
    state = _state(url)
    with _opened(url) as stream:
        groups, arrays = _read(stream, url)
    if not any(one.pieces for one in arrays):
        raise SourceError(f"{url} holds no array of numbers on a plane", subject=url)
    repository = Repository(store, cube_id, create=True, container=container_of(location))
    writer = _Writer(repository, location, state)
    for path, attributes in groups:
        document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        writer.put(f"{path}/zarr.json" if path else "zarr.json", json.dumps(document).encode())
    for one in arrays:
        writer.array(one)
    with repository.committing(), failures(f"commit to {repository.url}", cube_id):
        writer.inner.commit(f"refer to {location}")
        repository.settle()


def _read(stream: Any, url: str) -> tuple[list[tuple[str, dict[str, Any]]], list[FileArray]]:
    """Groups with their attributes, and arrays."""
    classic = stream.read(4) in MAGIC
    stream.seek(0)
    if classic:
        attributes, arrays = read_classic(stream, url)
        return [("", attributes)], arrays
    with h5py.File(stream, "r") as file:
        return list(read_groups(file)), list(read_arrays(file, url))


class _Writer:
    """A session into which arrays go."""

    def __init__(self, repository: Repository, location: str, state: dict[str, Any]) -> None:
        self._url = repository.url
        self._location = location
        self._state = state
        self.inner = repository.inner.writable_session(BRANCH)
        self.put = Session(self.inner, repository.loops, repository.url).write

    def array(self, one: FileArray) -> None:
        self.put(f"{one.path}/zarr.json", json.dumps(one.metadata).encode())
        if one.values is not None:
            index = "/".join(("c", *("0" for _ in one.values.shape)))
            self.put(f"{one.path}/{index}", np.ascontiguousarray(one.values).tobytes())
            return
        icechunk = library()
        chunks = [
            icechunk.VirtualChunkSpec(
                index=list(piece.index),
                location=self._location,
                offset=piece.offset,
                length=piece.length,
                **self._state,
            )
            for piece in one.pieces
        ]
        with failures(f"write to {self._url}", one.path):
            store = self.inner.store
            if store.set_virtual_refs(f"/{one.path}", chunks, validate_containers=True):
                raise SourceError(
                    f"{self._location} cannot be referred to; give its folder a plain name",
                    subject=self._location,
                )


def _check_allowed(location: str) -> None:
    place = place_of(location)
    if not is_allowed(place):
        raise SourceError(
            f"{location} may not be served without a copy: {place} is not in any of the folders "
            f"and buckets of {ALLOWED} ({', '.join(allowed()) or 'which is empty'})",
            subject=location,
        )


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    if url.startswith("s3://"):
        bucket, key = _bucket(url)
        yield BufferedReader(_Remote(bucket, key), _AHEAD)
    else:
        with Path(path_of(url)).open("rb") as file:
            yield file


def _bucket(url: str) -> tuple[Any, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return from_url(f"s3://{bucket}"), key


class _Remote(RawIOBase):
    """An object in a bucket, read by ranges."""

    def __init__(self, bucket: Any, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._size = int(obstore.head(bucket, key)["size"])
        self._at = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    @override
    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = obstore.get_range(self._bucket, self._key, start=self._at, end=end)
        buffer[: end - self._at] = bytes(data)
        self._at = end
        return len(data)


def _state(url: str) -> dict[str, Any]:
    """Names the state in which a file is now, so that a later one is known to be another."""
    if url.startswith("s3://"):
        bucket, key = _bucket(url)
        return {"etag_checksum": str(obstore.head(bucket, key)["e_tag"])}
    # references hold whole seconds: a change within the same one would not be seen
    changed = ceil(Path(path_of(url)).stat().st_mtime)
    time.sleep(min(max(0.0, changed - time.time()), 1.0))
    return {"last_updated_at_checksum": datetime.fromtimestamp(changed, UTC)}
