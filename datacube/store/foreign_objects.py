"""The objects of a Zarr group that somebody else wrote, handed on as they lie."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from datacube.errors import OperationNotSupported, RequestTooLarge
from datacube.store.foreign_arrays import MAX_CHUNK_BYTES, ArrayMeta
from datacube.store.foreign_nodes import Node, is_safe
from datacube.store.objects import ObjectStore

_DOCUMENTS = frozenset({"zarr.json", ".zmetadata", ".zgroup", ".zarray", ".zattrs"})
_CHUNK = re.compile(r"(c|\d{1,9})([./]\d{1,9})*")


@dataclass(frozen=True, eq=False)
class ForeignObjects:
    """The metadata of a group's nodes and the chunks of its arrays; nothing else in its folder.

    Whoever reads it over HTTP cannot list it: its metadata are consolidated where they lie apart.

    Parameters
    ----------
    store : ObjectStore
    root : str
        Of keys: the group's folder and a slash; ``""`` for the store's root.
    files : mapping of path to bytes
        The documents that say what the group is, in the state in which it is served.
    nodes : mapping of path to Node
    arrays : mapping of path to ArrayMeta
        Of those among the nodes that can be decoded.
    """

    store: ObjectStore
    root: str
    files: Mapping[str, bytes]
    nodes: Mapping[str, Node]
    arrays: Mapping[str, ArrayMeta]

    def get(self, path: str) -> bytes | None:
        """One object.

        Parameters
        ----------
        path : str
            Below the group: ``zarr.json``, ``air/.zarray``, ``air/c/0/1``, ``air/0.1``.

        Returns
        -------
        data : bytes, or None where the group has no such object

        Raises
        ------
        OperationNotSupported
            A chunk of an array that cannot be decoded here: its absence would be taken for fill.
        RequestTooLarge
            An object that is larger than what is held at a time.
        StorageError
            The storage failed.
        """
        if not is_safe(path):
            return None
        if path in {"zarr.json", ".zmetadata"}:
            return self._whole(path)
        if path in self.files:
            return self.files[path]
        parent, _, name = path.rpartition("/")
        if name in _DOCUMENTS:
            return self.store.get(f"{self.root}{path}") if parent in self.nodes else None
        array = self._array(path)
        if array is None:
            return None
        self._check(array)
        return self.store.get(f"{self.root}{path}")

    def _whole(self, path: str) -> bytes | None:
        """The document that holds all others; None where the group is of the other version."""
        if path == ".zmetadata":
            if path in self.files or ".zgroup" not in self.files:
                return self.files.get(path)
            parts = {key: json.loads(data) for key, data in self.files.items()}
            return json.dumps({"zarr_consolidated_format": 1, "metadata": parts}).encode()
        if path not in self.files:
            return None
        root = json.loads(self.files[path])
        if len(self.files) == 1 or isinstance(root.get("consolidated_metadata"), dict):
            return self.files[path]
        below = {
            key.removesuffix("/zarr.json"): json.loads(data)
            for key, data in self.files.items()
            if key != path
        }
        inline = {"kind": "inline", "must_understand": False, "metadata": below}
        return json.dumps({**root, "consolidated_metadata": inline}).encode()

    def _array(self, path: str) -> str | None:
        """The array that a path is a chunk of."""
        steps = path.split("/")
        for count in range(len(steps) - 1, 0, -1):
            above = "/".join(steps[:count])
            node = self.nodes.get(above)
            if node is not None:
                chunk = _CHUNK.fullmatch("/".join(steps[count:]))
                return above if node.is_array and chunk else None
        return None

    def _check(self, array: str) -> None:
        meta = self.arrays.get(array)
        if meta is None:
            raise OperationNotSupported(
                f"the array '{array}' is stored in a way that is not known here: read it in the "
                "store",
                subject=array,
            )
        size = prod(meta.codec.chunk_shape) * meta.dtype.itemsize
        if size > MAX_CHUNK_BYTES:
            raise RequestTooLarge(
                f"an object of the array '{array}' holds {size} bytes of values, more than "
                f"{MAX_CHUNK_BYTES}: read it in the store",
                subject=array,
            )
