"""What a version document says before its slices: enough to walk through many versions.

To read all of a document takes as long as its cube has slices; a walk through the history of a
cube needs the first few lines of each.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datacube.errors import StorageError
from datacube.store.manifest import check_format

_TICKS = b',"slices":{"ticks":['
_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Preface:
    """The beginning of a version document.

    Parameters
    ----------
    number, slices : int
    parent : str
        Name of the version document before, or empty.
    committed : str
        ISO 8601 time of the commit.
    message : str
    fields : names of the cube's fields
    """

    number: int
    slices: int
    parent: str
    committed: str
    message: str
    fields: frozenset[str]


def read_preface(packed: bytes, name: str, cube_id: str) -> Preface:
    """Unpack a version document as far as its times; its digest is not checked.

    Parameters
    ----------
    packed : bytes
    name : str
        Of the document, for the message.
    cube_id : str

    Raises
    ------
    StorageError
        It is damaged, or a newer program has written it.
    """
    try:
        document, slices = _beginning(packed)
        check_format(int(document["format"]), cube_id)
        return Preface(
            int(document["version"]),
            slices,
            str(document["parent"]),
            str(document["committed"]),
            str(document["message"]),
            frozenset(document["arrays"]),
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise StorageError(
            f"the version document {name} of cube '{cube_id}' is damaged: {error}", subject=cube_id
        ) from error


def _beginning(packed: bytes) -> tuple[Mapping[str, Any], int]:
    """What stands before the slices, and how many times follow."""
    text, at, end = b"", -1, -1
    for part in _parts(packed):
        text += part
        at = text.find(_TICKS) if at < 0 else at
        end = text.find(b"]", at + len(_TICKS)) if at >= 0 else -1
        if end >= 0:
            break
    else:
        raise ValueError("it has no slices")
    ticks = text[at + len(_TICKS) : end]
    return json.loads(text[:at] + b"}"), ticks.count(b",") + 1 if ticks else 0


def _parts(packed: bytes) -> Iterator[bytes]:
    unpack = zlib.decompressobj(31)
    while packed and not unpack.eof:
        yield unpack.decompress(packed, _PART)
        packed = unpack.unconsumed_tail
