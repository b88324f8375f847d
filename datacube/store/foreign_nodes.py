"""The documents of a Zarr group that somebody else wrote: v2 or v3, consolidated or not.

What they say is not trusted: names that would lead out of the group's folder are left out, and
number and length of the documents are bounded.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from datacube.errors import StorageError
from datacube.store.objects import ObjectStore

type Json = Mapping[str, Any]

MAX_NODES = 2000
MAX_DEPTH = 6
MAX_BYTES = 64 << 20

_STEP = re.compile(r"^(?!\.{1,2}$)[^/\\\x00-\x1f]{1,200}\Z")
_V2 = (".zarray", ".zgroup", ".zattrs")


@dataclass(frozen=True, slots=True)
class Node:
    """A group or an array.

    Parameters
    ----------
    path : str
        Below the group's folder, ``""`` for the group itself.
    version : 2 or 3
    document : mapping
        ``zarr.json``, ``.zarray`` or ``.zgroup``.
    attributes : mapping
    """

    path: str
    version: Literal[2, 3]
    document: Json
    attributes: Json

    @property
    def is_array(self) -> bool:
        """Whether it is an array."""
        return self.document.get("node_type") == "array" if self.version == 3 else self._shaped

    @property
    def _shaped(self) -> bool:
        return "shape" in self.document

    @property
    def parent(self) -> str:
        """Path of the group that it is in."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Last step of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Documents:
    """The metadata of a group's folder as it lies.

    Parameters
    ----------
    files : mapping of key below the folder to bytes
    """

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Changes whenever a document does."""
        whole = sha256()
        for key, data in sorted(self.files.items()):
            whole.update(f"{key}\n{len(data)}\n".encode())
            whole.update(data)
        return whole.hexdigest()

    def nodes(self) -> dict[str, Node]:
        """Groups and arrays by path.

        Raises
        ------
        StorageError
            A document is no JSON object.
        """
        if ".zmetadata" in self.files:
            whole = _parsed(self.files[".zmetadata"], ".zmetadata")
            return _nodes_v2(_object(whole.get("metadata")))
        parsed = {key: _parsed(data, key) for key, data in self.files.items()}
        if "zarr.json" in parsed:
            return _nodes_v3(parsed)
        return _nodes_v2(parsed)


def read_documents(store: ObjectStore, folder: str) -> Documents | None:
    """The metadata of a group, in few reads where it is consolidated.

    Parameters
    ----------
    store : ObjectStore
    folder : str
        Key of the group's folder; ``""`` for the store's root.

    Returns
    -------
    documents : Documents, or None where the folder holds no Zarr group

    Raises
    ------
    StorageError
        The storage failed, the documents are too many or too long, or they are not consolidated
        and the storage cannot list.
    """
    root = f"{folder}/" if folder else ""
    data = store.get(f"{root}zarr.json")
    if data is not None:
        _check_length(data, "zarr.json")
        document = _parsed(data, "zarr.json")
        if document.get("node_type") != "group":
            return None
        if isinstance(document.get("consolidated_metadata"), dict):
            return Documents({"zarr.json": data})
        return Documents({"zarr.json": data, **dict(_crawl(store, root, "", 3))})
    data = store.get(f"{root}.zmetadata")
    if data is not None:
        _check_length(data, ".zmetadata")
        return Documents({".zmetadata": data})
    if (data := store.get(f"{root}.zgroup")) is None:
        return None
    files = {".zgroup": data, **dict(_crawl(store, root, "", 2))}
    if (data := store.get(f"{root}.zattrs")) is not None:
        files[".zattrs"] = data
    return Documents(files)


def is_safe(path: str) -> bool:
    """Whether a path stays below the folder it starts from.

    Examples
    --------
    >>> is_safe("measurements/b02"), is_safe("../../etc"), is_safe("/etc"), is_safe("a//b")
    (True, False, False, False)
    """
    return path == "" or all(_STEP.match(step) for step in path.split("/"))


def _crawl(
    store: ObjectStore, root: str, group: str, version: Literal[2, 3], depth: int = 0
) -> Iterator[tuple[str, bytes]]:
    """Documents below a group, found by listing; nothing is listed inside an array."""
    names = [name for name in store.list_prefixes(f"{root}{group}") if is_safe(name)]
    if len(names) > MAX_NODES or depth > MAX_DEPTH:
        raise StorageError(
            f"more than {MAX_NODES} folders, or groups {MAX_DEPTH} deep; consolidate the metadata"
        )
    for name in names:
        path = f"{group}{name}/"
        files = _documents_at(store, root, path, version)
        yield from files.items()
        below = f"{path}.zgroup" in files
        if version == 3 and f"{path}zarr.json" in files:
            below = _parsed(files[f"{path}zarr.json"], path).get("node_type") == "group"
        if below:
            yield from _crawl(store, root, path, version, depth + 1)


def _documents_at(
    store: ObjectStore, root: str, path: str, version: Literal[2, 3]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in ("zarr.json",) if version == 3 else _V2:
        if name == ".zgroup" and found:
            continue
        if (data := store.get(f"{root}{path}{name}")) is not None:
            _check_length(data, f"{path}{name}")
            found[f"{path}{name}"] = data
    return found


def _nodes_v3(parsed: Mapping[str, Json]) -> dict[str, Node]:
    root = parsed["zarr.json"]
    documents = {key.removesuffix("zarr.json").rstrip("/"): one for key, one in parsed.items()}
    inline = root.get("consolidated_metadata")
    if isinstance(inline, dict):
        documents |= {str(key): _object(one) for key, one in _object(inline["metadata"]).items()}
    _check_count(documents)
    return {
        path: Node(path, 3, one, _object(one.get("attributes", {})))
        for path, one in documents.items()
        if is_safe(path)
    }


def _nodes_v2(parsed: Json) -> dict[str, Node]:
    _check_count(parsed)
    nodes = {}
    for key, document in parsed.items():
        path, _, name = key.rpartition("/")
        if name in {".zarray", ".zgroup"} and is_safe(path):
            attributes = parsed.get(f"{path}/.zattrs" if path else ".zattrs", {})
            nodes[path] = Node(path, 2, _object(document), _object(attributes))
    return nodes


def _parsed(data: bytes, key: str) -> Json:
    try:
        return _object(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise StorageError(f"its document {key} is no JSON: {str(error)[:100]}") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StorageError("a document of its metadata is no JSON object")
    return value


def _check_length(data: bytes, key: str) -> None:
    if len(data) > MAX_BYTES:
        raise StorageError(f"its document {key} has {len(data)} bytes, more than {MAX_BYTES}")


def _check_count(documents: Json) -> None:
    if len(documents) > 3 * MAX_NODES:
        raise StorageError(f"{len(documents)} documents; up to {3 * MAX_NODES} are read")
