"""From a committed chunk to its values: one read, checked against the manifest, decoded."""

from typing import Any

from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.buffers import Room, Stored, fresh
from datacube.store.codecs import ArrayCodec, crc32c
from datacube.store.local import LocalObjects
from datacube.store.objects import ObjectStore


def read_chunk(
    store: ObjectStore,
    key: str,
    codec: ArrayCodec,
    size: int,
    checksum: int,
    start: int | None = None,
    room: Room = fresh,
) -> NDArray[Any]:
    """Read, check and decode one chunk.

    Parameters
    ----------
    store : ObjectStore
    key : str
    codec : ArrayCodec
    size : int
        Bytes of the chunk as committed.
    checksum : int
        CRC-32C as committed.
    start : int, optional
        First byte of the chunk, where it is a part of the object.
    room : Room
        Where memory for the values comes from.

    Returns
    -------
    values : stored dtype, chunk_shape, read-only

    Raises
    ------
    StorageError
        The chunk is missing, truncated or damaged, or the storage failed.
    """
    data: Stored | None
    if codec.copies and isinstance(store, LocalObjects):
        borrowed = store.borrow(key, size, start)
        data = None if borrowed is None else borrowed[0]
    else:
        data = store.get(key) if start is None else store.get_range(key, start, size)
    if (damage := chunk_damage(data, size, checksum)) is not None:
        raise StorageError(damage, subject=key)
    assert data is not None  # noqa: S101  chunk_damage has said so
    return codec.decode(data, room)


def chunk_damage(data: Stored | None, size: int, checksum: int) -> str | None:
    """What is wrong with the bytes of a chunk; None where nothing is.

    Examples
    --------
    >>> chunk_damage(None, 9, 0), chunk_damage(b"12345678", 9, 0)
    ('the chunk is missing', 'the chunk has 8 bytes instead of 9')
    >>> chunk_damage(b"123456789", 9, 0xE3069283) is None
    True
    """
    if data is None:
        return "the chunk is missing"
    if len(data) != size:
        return f"the chunk has {len(data)} bytes instead of {size}"
    if crc32c(data) != checksum:
        return "the chunk is damaged: its checksum does not match"
    return None
