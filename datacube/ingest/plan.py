"""What an ingest would write, source by source, and nothing is written.

Each source is judged by its cube and by what the sources before it would have brought: a cube that
one of them would make, times, and fields at them. Values are not read, so that it is not known
whether they are those that are there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from datacube.config.products import RecipeSettings
from datacube.errors import CoverageNotFound, SourceError
from datacube.ingest.amount import (
    LATER,
    Written,
    further_axes,
    outranked,
    own_revisions,
    rank_of,
    remark_of,
    size_of,
    some_fields,
)
from datacube.ingest.fit import fitted
from datacube.ingest.gone import Deletions, summed
from datacube.ingest.opened import looked_at
from datacube.ingest.part import check_nil
from datacube.ingest.places import joint
from datacube.ingest.source import Granule, SliceSource
from datacube.model.axis import TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.store.cube import open_cube
from datacube.store.objects import ObjectStore

_COMPARED = "it has values and no time, and these would only be compared with them"

type _Revisions = dict[int | None, dict[str, int]]


@dataclass(eq=False)
class _Coming:
    """What sources of a run would bring to one cube.

    Parameters
    ----------
    made : CoverageDescription, optional
        Of a cube that is not there yet.
    ids : names of granules, as far as they are known
    revisions : of each field at each time
    """

    made: CoverageDescription | None = None
    ids: set[str] = field(default_factory=set)
    revisions: _Revisions = field(default_factory=dict)


class Plan:
    """A run of an ingest that writes nothing.

    Parameters
    ----------
    store : ObjectStore
    recipe : RecipeSettings
    """

    def __init__(self, store: ObjectStore, recipe: RecipeSettings) -> None:
        self._store = store
        self._recipe = recipe
        self._coming: dict[str, _Coming] = {}

    def add(self, granules: Sequence[Granule]) -> Written:
        """What the next source would add: slices, and bytes of their values, not compressed.

        Raises
        ------
        SourceError
            A granule does not fit its cube.
        """
        found = [self._ready(one) for one in granules]
        gone = summed(granules, [one for _, one in found])
        ready = [one for one, _ in found if one is not None]
        going: list[Granule] = []
        cubes = [self._cube(one) for one in ready]
        replaced, why = 0, LATER
        for granule in ready:
            known = self._known(granule)
            why = _COMPARED if None in known else why
            kept = [one for one in granule.slices if self._goes(known, one, granule)]
            replaced += sum(1 for one in kept if known.get(one.ticks))
            going.append(replace(granule, slices=tuple(kept)))
            self._note(going[-1], known)
        slices = sum(len(one.slices) for one in going)
        return Written(
            tuple(one.cube_id for one in granules),
            slices,
            sum(size_of(one) for one in going),
            why if ready and not slices else remark_of(ready),
            replaced=replaced,
            gone=gone,
            notes=granules[0].notes if slices else (),
            fields=some_fields(cubes, ready),
        )

    def _ready(self, granule: Granule) -> tuple[Granule | None, Deletions]:
        """The granule in its cube's packing, None where it is there or would be; what stays out."""
        ready, gone = looked_at(self._store, granule, self._recipe)
        coming = self._coming.get(granule.cube_id)
        if ready is None or coming is None:
            return ready, gone
        if ready.id_known and ready.id in coming.ids:
            return None, gone
        if coming.made is None or ready.fits:
            return ready, gone
        return _beside(ready, coming.made, coming.revisions), gone

    def _cube(self, granule: Granule) -> CoverageDescription:
        """The cube of a granule as it is, or would be before it."""
        coming = self._coming.get(granule.cube_id)
        if coming is not None and coming.made is not None:
            return coming.made
        try:
            return open_cube(self._store, granule.cube_id).description
        except CoverageNotFound:
            return granule.description

    def _known(self, granule: Granule) -> Mapping[int | None, Mapping[str, int]]:
        """The revision of each of its fields at the times that there are, or would be."""
        coming = self._coming.get(granule.cube_id, _Coming())
        found = _stored(self._store, granule)
        for one in granule.slices:
            if one.ticks in coming.revisions:
                both = {**found.get(one.ticks, {}), **coming.revisions[one.ticks]}
                found[one.ticks] = dict(own_revisions(both, one))
        return found

    def _goes(
        self,
        known: Mapping[int | None, Mapping[str, int]],
        one: SliceSource,
        granule: Granule,
    ) -> bool:
        revisions = known.get(one.ticks, {})
        return None not in known and not outranked(revisions, one, granule, self._recipe)

    def _note(self, granule: Granule, known: Mapping[int | None, Mapping[str, int]]) -> None:
        """Keep in mind what of a granule would go in."""
        coming = self._coming.setdefault(granule.cube_id, _Coming())
        if not granule.fits and coming.made is None:
            coming.made = granule.description
        elif coming.made is not None:
            coming.made = _widened(coming.made, granule.description)
        if granule.id_known:
            coming.ids.add(granule.id)
        for one in granule.slices:
            before = known.get(one.ticks, {})
            rank = rank_of(before, granule, self._recipe)
            its = coming.revisions.setdefault(one.ticks, {})
            its |= {name: max(rank, before.get(name, rank)) for name in one.bands}


def _stored(store: ObjectStore, granule: Granule) -> _Revisions:
    """The revision of each of its fields at the times that a granule and its cube have."""
    try:
        cube = open_cube(store, granule.cube_id)
    except CoverageNotFound:
        return {}
    wanted = {one.ticks: one for one in granule.slices}
    found: _Revisions = {}
    for place, one in enumerate(cube.record.slices):
        if one.ticks in wanted:
            document = cube.slice_document(place)
            revisions = {name: document.revisions.get(name, 0) for name in document.fields}
            found[one.ticks] = dict(own_revisions(revisions, wanted[one.ticks]))
    return found


def _beside(granule: Granule, cube: CoverageDescription, known: Collection[int | None]) -> Granule:
    """The granule in the packing of a cube that there would be."""
    ready = fitted(granule, cube)
    check_nil(ready, cube, known)
    wider = _widened(cube, granule.description)
    if cube.domain.time is None and further_axes(wider) != further_axes(cube):
        raise SourceError(f"it has other places than the cube '{cube.id}', which has no time")
    return replace(ready, fits=False)


def _widened(cube: CoverageDescription, own: CoverageDescription) -> CoverageDescription:
    """A cube with the places of another source too."""
    pairs = zip(further_axes(own), further_axes(cube), strict=True)
    both = [joint(*pair) for pair in pairs]
    axes = [one[0] for one in both if one is not None]
    times = [axis for axis in cube.domain.axes if isinstance(axis, TimeAxis)]
    return replace(cube, domain=DomainSet(cube.domain.grid, (*times, *axes)))
