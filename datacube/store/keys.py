"""Names of chunks: four key encodings of Zarr v3, here called layouts.

Each lets the same array have other objects for the same index, so that a cube can be laid out anew
while readers are still at its old chunks.
"""

import re
from dataclasses import dataclass
from typing import Any

LAYOUTS = (("default", "/"), ("v2", "/"), ("default", "."), ("v2", "."))
"""Key encodings of Zarr v3: each lets the same array have other objects for the same index."""

_CHUNK_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        r"c(?:/(\d+))?(?:/\d+)*\Z",
        r"(\d+)(?:/\d+)*\Z",
        r"c(?:\.(\d+))(?:\.\d+)*\Z",
        r"(\d+)(?:\.\d+)+\Z",
    )
)


def chunk_name(index: tuple[int, ...], layout: int) -> str:
    """Name of a chunk below its array, as the layout's key encoding makes it."""
    encoding, separator = LAYOUTS[layout]
    if encoding == "v2":
        return separator.join(map(str, index)) or "0"
    return separator.join(("c", *map(str, index)))


def key_encoding(layout: int) -> dict[str, Any]:
    """The same in Zarr metadata."""
    name, separator = LAYOUTS[layout]
    return {"name": name, "configuration": {"separator": separator}}


def layout_of(name: str) -> tuple[int, int] | None:
    """Layout and first index of a chunk by its name below the array; None where it is none.

    Examples
    --------
    >>> [layout_of(one) for one in ("c/7/0/3", "7/0/3", "c.7.0.3", "7.0.3", "zarr.json", "c", "7")]
    [(0, 7), (1, 7), (2, 7), (3, 7), None, (0, 0), (1, 7)]
    """
    for layout, pattern in enumerate(_CHUNK_NAMES):
        found = pattern.match(name)
        if found is not None:
            return layout, int(found[1] or 0)
    return None


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where an object of a field lies.

    Examples
    --------
    >>> place_of("overviews/1/sst/c/7/0/3")
    ChunkPlace(field='sst', layout=0, slot=7)
    >>> place_of("sst/zarr.json") is None
    True
    """

    field: str
    layout: int
    slot: int


def place_of(path: str) -> ChunkPlace | None:
    """The place of a chunk by its key below the cube's folder; None for what is no chunk."""
    parts = path.split("/", 3)
    if parts[0] == "overviews" and len(parts) == 4:
        path = "/".join(parts[2:])
    name, _, rest = path.partition("/")
    found = layout_of(rest)
    return None if found is None else ChunkPlace(name, *found)
