"""What a granule amounts to in its cubes: slices, bytes, fields, and its rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from datacube.config.products import RecipeSettings
from datacube.ingest.filling import places
from datacube.ingest.gone import Gone
from datacube.ingest.revision import revision_of
from datacube.ingest.source import Granule, SliceSource
from datacube.model.axis import Axis, TimeAxis
from datacube.model.coverage import CoverageDescription

SAME = "every value is there already"
LATER = "a later stage is there already"


@dataclass(frozen=True, slots=True)
class Written:
    """What a source has added: the cubes that it is in, slices, stored bytes, what was left out.

    Plain Zarr readers see the cubes that are behind as they were, until they are compacted. Of a
    plan it is said too how many of the slices are at times that their cubes have already. Where
    it lacks fields of its cubes, those that it has are named. What was deleted and stays out is
    gone. Notes say what was asked for and does not apply.
    """

    cubes: tuple[str, ...]
    slices: int
    bytes: int
    remark: str = ""
    behind: tuple[str, ...] = ()
    replaced: int = 0
    gone: Gone = field(default_factory=Gone)
    notes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def own_revisions(known: Mapping[str, int], one: SliceSource) -> Mapping[str, int]:
    """Of what a time has what a slice has too."""
    return {name: revision for name, revision in known.items() if name in one.bands}


def outranked(
    known: Mapping[str, int], one: SliceSource, granule: Granule, recipe: RecipeSettings
) -> bool:
    """Whether every field of a slice is there in a later stage."""
    rank = rank_of(known, granule, recipe)
    return all(name in known and known[name] > rank for name in one.bands)


def rank_of(known: Mapping[str, int], granule: Granule, recipe: RecipeSettings) -> int:
    """The revision of a slice, by those of its fields that are there."""
    if recipe.mosaic is not None:  # made of what its slice holds already, whatever its rank
        return 0
    rank = revision_of(granule.product)
    return max((rank, *known.values())) if granule.joined else rank


def some_fields(
    cubes: Sequence[CoverageDescription], granules: Sequence[Granule]
) -> tuple[str, ...]:
    """The fields of the granules, where they lack some of those of their cubes."""
    pairs = list(zip(cubes, granules, strict=True))
    own = [one.description.range_type.by_name for _, one in pairs]
    if all(
        cube.range_type.by_name.keys() <= names.keys()
        for (cube, _), names in zip(pairs, own, strict=True)
    ):
        return ()
    return tuple(dict.fromkeys(one.name for names in own for one in names.values()))


def remark_of(granules: Sequence[Granule]) -> str:
    """What of a source is left out."""
    return "; ".join(dict.fromkeys(text for one in granules for text in one.warnings))


def further_axes(description: CoverageDescription) -> list[Axis]:
    """The axes beside time."""
    return [axis for axis in description.domain.axes if not isinstance(axis, TimeAxis)]


def size_of(granule: Granule) -> int:
    """Bytes of all values, unpacked from their file but as they are stored."""
    height, width = granule.description.domain.grid.shape
    fields = granule.description.range_type
    return sum(
        height
        * width
        * sum(1 for _ in places(granule, band))
        * np.dtype(fields.field(name).dtype).itemsize
        for one in granule.slices
        for name, band in one.bands.items()
    )
