"""Granules that hold some of their cube's fields.

They fill these; the other fields keep what they are at times that the cube has, and are no data at
new ones. So archives with a file for each variable meet in one cube, in any order.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from datacube.errors import SourceError
from datacube.ingest.source import Granule
from datacube.model.coverage import CoverageDescription
from datacube.store.cube import CubeStore
from datacube.store.manifest import SourceRecord

_NAMES = "fields"


def is_there(granule: Granule, cube: CubeStore) -> bool:
    """Whether a granule is in a cube already, with every field.

    A field may have come to the cube, or to the recipe, since.
    """
    known, names = cube.record.sources.get(granule.id), _names(granule, cube)
    if known is None or len(names) < len(granule.description.range_type.fields):
        return False
    return names <= _brought(cube, *known)


def in_part(granule: Granule, cube: CubeStore) -> Granule:
    """The granule; where it lacks fields of its cube it knows which of them it brings.

    Raises
    ------
    SourceError
        There would be values where there are none.
    """
    own, every = _names(granule, cube), cube.description.range_type
    if len(own) == len(every.fields):
        return granule
    check_nil(granule, cube.description, {one.ticks for one in cube.record.slices})
    known = cube.record.sources.get(granule.id) if granule.id_known else None
    brought = own | (frozenset() if known is None else _brought(cube, *known))
    part = tuple(name for name in every.names if name in brought)
    return replace(granule, part=() if len(part) == len(every.fields) else part)


def fields_noted(granule: Granule) -> dict[str, str]:
    """What the record of a granule says of its fields, where they are not all of its cube."""
    return {_NAMES: ",".join(granule.part)} if granule.part else {}


def fields_of(record: SourceRecord) -> frozenset[str]:
    """The fields that a granule has brought; empty where these were all."""
    return frozenset(filter(None, record.attributes.get(_NAMES, "").split(",")))


def _names(granule: Granule, cube: CubeStore) -> frozenset[str]:
    known = cube.description.range_type.by_name
    return frozenset(
        known[name].name for name in granule.description.range_type.by_name if name in known
    )


def _brought(
    cube: CubeStore, record: SourceRecord, times: tuple[int | None, ...]
) -> frozenset[str]:
    """The fields that a granule has brought to a cube, as far as anybody knows."""
    if said := fields_of(record):
        return said
    for place, one in enumerate(cube.record.slices):
        if one.ticks in times:
            return frozenset(cube.slice_document(place).fields)
    return frozenset(cube.description.range_type.names)


def check_nil(granule: Granule, cube: CoverageDescription, times: Collection[int | None]) -> None:
    """See that fields without a number for no data need none, in a cube with some times.

    Raises
    ------
    SourceError
        A granule that lacks them has further times.
    """
    own = granule.description.range_type.by_name
    bare = [
        one.name
        for one in cube.range_type.fields
        if one.name.lower() not in own and one.nil is None and np.dtype(one.dtype).kind != "f"
    ]
    if bare and any(one.ticks not in times for one in granule.slices):
        raise SourceError(
            f"it lacks the fields {', '.join(bare)}, which have no number for no data in the cube "
            f"'{cube.id}', and has times at which the cube does not have them yet"
        )
