"""The plain Zarr v3 group over a cube's chunks, for every program that knows nothing of it.

It shows the slots that are in the order of time. It is brought up to date after a commit, each
document whole: time coordinates first, then the arrays' shapes, then the root with the
consolidated metadata. What it shows at any moment is a complete, if older, layout. After an
insertion, a replacement or a deletion it stays at the last such layout, until
:func:`~datacube.store.compact.compact` writes a new one beside it, under another key encoding,
and the root's metadata change over to that.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.model.axis import TimeAxis
from datacube.model.coverage import Level
from datacube.model.grid import RectifiedGrid, ReferenceableGrid
from datacube.store.attributes import (
    Attributes,
    axis_coordinates,
    field_attributes,
    grid_coordinates,
    grid_mapping,
    group_attributes,
)
from datacube.store.codecs import ArrayCodec
from datacube.store.keys import chunk_name, key_encoding, place_of
from datacube.store.layout import (
    array_metadata,
    bytes_codec,
    level_path,
)
from datacube.store.manifest import Version
from datacube.store.objects import ObjectStore
from datacube.store.positions import position_chunks, position_documents
from datacube.store.together import asked_together

TIME_CHUNK = 1024
"""Times in one chunk of the time coordinate."""

VERSION_ATTRIBUTE = "datacube_version"

type Documents = dict[str, dict[str, Any]]
type Chunks = dict[str, bytes]


def write_plain(store: ObjectStore, version: Version, *, first: bool = False) -> None:
    """Bring the plain group up to date with a version.

    Parameters
    ----------
    store : ObjectStore
    version : Version
    first : bool
        Write also what never changes (coordinates of x, y and the other axes).
    """
    cube = version.template.id
    documents, chunks = plain_objects(version)
    if first:
        chunks |= position_objects(version)
    objects = {name: data for name, data in chunks.items() if first or _changes(name, version)}
    root = documents.pop("")
    if first:
        # an empty group, so that listing the cube's folder meets nothing unknown
        objects["manifest/zarr.json"] = _json(_group({}))
    for path, document in documents.items():
        changing = document["node_type"] == "array" and document["dimension_names"][:1] == [
            _time_name(version)
        ]
        if first or changing:
            objects[f"{path}/zarr.json"] = _json(document)
    asked_together(store, lambda one: store.put(f"{cube}/{one[0]}", one[1]), list(objects.items()))
    store.put(f"{cube}/zarr.json", _json(root))


def plain_objects(version: Version) -> tuple[Documents, Chunks]:
    """Everything of the plain group but the fields' chunks.

    Returns
    -------
    documents : path of the array or group (``""`` for the root) -> metadata
    chunks : path -> bytes, of the coordinates but the positions of a curvilinear grid
    """
    documents: Documents = {}
    chunks: Chunks = {}
    for level in version.template.levels:
        found, coordinates = _level(version, level)
        documents |= found
        chunks |= coordinates
    if len(version.template.levels) > 1:
        documents["overviews"] = _group({})
    return {**documents, "": _root(version, documents)}, chunks


def plain_version(store: ObjectStore, cube_id: str) -> int:
    """Which version the plain group shows; -1 where there is none."""
    data = store.get(f"{cube_id}/zarr.json")
    if data is None:
        return -1
    return int(json.loads(data)["attributes"].get(VERSION_ATTRIBUTE, -1))


def _root(version: Version, documents: Documents) -> dict[str, Any]:
    extra = {**version.attributes, VERSION_ATTRIBUTE: version.number}
    level = version.template.levels[0]
    root = _group(group_attributes(version.template, level, extra))
    root["consolidated_metadata"] = {
        "kind": "inline",
        "must_understand": False,
        "metadata": dict(sorted(documents.items())),
    }
    return root


def _level(version: Version, level: Level) -> tuple[Documents, Chunks]:
    """Metadata documents (by path) and coordinate chunks (by key) of one level's group."""
    folder = level_path(level.number)
    documents: Documents = {}
    chunks: Chunks = {}
    if level.number:
        documents[folder.rstrip("/")] = _group(group_attributes(version.template, level, {}))
    for field in version.template.range_type.fields:
        metadata = dict(version.arrays[field.name][level.number])
        if version.timed:
            metadata["shape"] = [version.plain, *metadata["shape"][1:]]
        metadata["chunk_key_encoding"] = key_encoding(version.layout)
        metadata["attributes"] = field_attributes(field, level.grid)
        documents[folder + field.name] = metadata
    coordinates: dict[str, tuple[NDArray[Any], Attributes]] = {}
    if isinstance(level.grid, RectifiedGrid):
        coordinates |= grid_coordinates(level.grid)
    for axis in version.template.domain.axes:
        values, attributes = axis_coordinates(axis)
        if isinstance(axis, TimeAxis) and axis is version.template.domain.time:
            values = np.array([one.ticks for one in version.slices[: version.plain]], np.int64)
        coordinates[axis.name] = (values, attributes)
    for name, (values, attributes) in coordinates.items():
        side = TIME_CHUNK if name == _time_name(version) else max(len(values), 1)
        metadata, parts = _coordinate(name, values, side, attributes)
        metadata["chunk_key_encoding"] = key_encoding(version.layout)
        documents[folder + name] = metadata
        chunks |= {
            f"{folder}{name}/{chunk_name((index,), version.layout)}": data
            for index, data in enumerate(parts)
        }
    documents |= _position_documents(level)
    scalar = array_metadata("int32", (), (), 0, [bytes_codec(np.dtype("i4"))], ())
    documents[f"{folder}spatial_ref"] = {**scalar, "attributes": grid_mapping(level.grid)}
    documents[f"{folder}spatial_ref"]["chunk_key_encoding"] = key_encoding(version.layout)
    chunks[f"{folder}spatial_ref/{chunk_name((), version.layout)}"] = bytes(4)
    return documents, chunks


def _position_documents(level: Level) -> Documents:
    """Metadata of the positions of a curvilinear grid; none of another."""
    if isinstance(level.grid, RectifiedGrid):
        return {}
    found = position_documents(level.grid.shape)
    return {level_path(level.number) + name: document for name, document in found.items()}


def position_objects(version: Version) -> Chunks:
    """Chunks of the positions of a curvilinear grid, which never change; none of another."""
    return {
        level_path(level.number) + key: data
        for level in version.template.levels
        if isinstance(level.grid, ReferenceableGrid)
        for key, data in position_chunks(level.grid)
    }


def _coordinate(
    name: str, values: NDArray[Any], side: int, attributes: Attributes
) -> tuple[dict[str, Any], list[bytes]]:
    dtype = values.dtype
    fill: int | float = float("nan") if dtype.kind == "f" else int(np.iinfo(dtype).min)
    metadata = array_metadata(
        dtype.name, values.shape, (side,), fill, [bytes_codec(dtype)], (name,)
    )
    codec = ArrayCodec.parse(metadata)
    parts = []
    for start in range(0, len(values), side):
        part = np.full(side, fill, dtype)
        part[: len(values) - start] = values[start : start + side]
        parts.append(codec.encode(part))
    return {**metadata, "attributes": attributes}, parts


def _changes(name: str, version: Version) -> bool:
    """Whether a coordinate chunk may differ from the version before: the last ones of time."""
    place = place_of(name)
    if place is None or not version.timed or place.field != _time_name(version):
        return False
    return place.slot >= (version.plain - 1) // TIME_CHUNK - 1


def _time_name(version: Version) -> str:
    time = version.template.domain.time
    return "" if time is None else time.name


def _group(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()
