"""What was deleted of a cube: its sources stay out until somebody brings them back on purpose.

Retention deletes slices whose sources may lie where they lay. The list of what was deleted names
them, so that the next ingest knows them again. A source that was never in the cube, such as the
final product after a deleted draft, goes in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from datacube.ingest.places import with_slices
from datacube.ingest.source import Granule
from datacube.store.cube import CubeStore
from datacube.store.records import Deletion

type Deletions = Mapping[int, Deletion]
"""By the time of a slice, why it is out."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What of a source stays out.

    Parameters
    ----------
    slices : int
    words : str
        When it was deleted, from which cube and why.
    whole : bool
        Whether nothing of the source is in a cube or could go in.
    """

    slices: int = 0
    words: str = ""
    whole: bool = False


def deleted_of(granule: Granule, cube: CubeStore) -> Deletions:
    """The slices of a granule that were deleted and did not come again, in order of time.

    Those that were made of it, and where it has been in the cube also those that others had made
    before with the same values.
    """
    wanted = {one.ticks for one in granule.slices}
    known = [one for one in cube.record.deletions if one.ticks in wanted]
    if not known:
        return {}
    name = granule.id
    found = {one.ticks: one for one in known if name in one.sources}
    _, held = cube.record.sources.get(name, (None, ()))
    if held or any(name in one.sources for one in cube.record.deletions):
        there = {one.ticks for one in cube.record.slices}
        found |= {one.ticks: one for one in known if one.ticks not in there}
    return {ticks: found[ticks] for ticks in sorted(found) if ticks not in held}


def without(granule: Granule, gone: Collection[int], cube: CubeStore) -> Granule | None:
    """The granule without what stays out; None where nothing is left."""
    kept = [n for n, one in enumerate(granule.slices) if one.ticks not in gone]
    return replace(with_slices(granule, kept), over=cube.version) if kept else None


def brought_back(granule: Granule, gone: Collection[int], cube: CubeStore) -> Granule | None:
    """Of a granule that is in the cube what was deleted; None where nothing was."""
    rest = {one.ticks for one in granule.slices if one.ticks is not None} - set(gone)
    return without(granule, rest, cube) if gone else None


def summed(granules: Sequence[Granule], found: Sequence[Deletions]) -> Gone:
    """What of the granules of a source stays out.

    Parameters
    ----------
    granules, found : for each of its cubes
    """
    pairs = [
        (granule.cube_id, one)
        for granule, gone in zip(granules, found, strict=True)
        for one in gone.values()
    ]
    if not pairs:
        return Gone()
    days = sorted({one.deleted[:10] for _, one in pairs})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    cubes = ", ".join(dict.fromkeys(name for name, _ in pairs))
    causes = list(dict.fromkeys(one.cause for _, one in pairs))
    more = "" if len(causes) == 1 else f", and for {len(causes) - 1} more reasons"
    whole = len(pairs) == sum(len(one.slices) for one in granules)
    return Gone(len(pairs), f"deleted {when} from cube {cubes}: {causes[0]}{more}", whole)
