"""A source as it goes in: its granules by the recipe, and each as its cube wants it.

Whoever opens the same source for the same state of a cube gets the same granules, in any process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from datacube.config.products import RecipeSettings
from datacube.errors import CoverageNotFound, SourceError
from datacube.ingest.fit import fitted
from datacube.ingest.gone import Deletions, brought_back, deleted_of, without
from datacube.ingest.mosaic import over_stored
from datacube.ingest.part import in_part, is_there
from datacube.ingest.places import completed
from datacube.ingest.recipe import prepared
from datacube.ingest.source import Granule, ReadOptions, SourceReader
from datacube.ingest.unused import unused
from datacube.model.coverage import CoverageDescription
from datacube.store.cube import open_cube
from datacube.store.foreign import is_part_of_others
from datacube.store.layout import storable
from datacube.store.objects import ObjectStore
from datacube.store.register import is_of_others


@contextmanager
def opened(
    reader: SourceReader, path: Path, options: ReadOptions, recipe: RecipeSettings
) -> Iterator[tuple[Granule, ...]]:
    """The granules of a source, readable within the context.

    Raises
    ------
    SourceError
        The source cannot become a cube.
    """
    with reader.open(path.absolute(), options) as granules:
        notes = unused(recipe, options, granules)
        ready = (_named(one, options) for one in prepared(recipe, granules))
        yield tuple(replace(one, notes=notes) for one in ready)


def readied(store: ObjectStore, granule: Granule, recipe: RecipeSettings) -> Granule | None:
    """The granule in its cube's packing, over what it meets there; None where it is there.

    What was deleted of it is left out, or comes back where that is wanted.

    Raises
    ------
    SourceError
        It does not fit its cube, or the id is that of something else.
    """
    return looked_at(store, granule, recipe)[0]


def looked_at(
    store: ObjectStore, granule: Granule, recipe: RecipeSettings
) -> tuple[Granule | None, Deletions]:
    """The granule as :func:`readied` has it, and what of it stays out."""
    try:
        cube = open_cube(store, granule.cube_id)
    except CoverageNotFound:
        if is_of_others(store, granule.cube_id) or is_part_of_others(store, granule.cube_id):
            raise SourceError(
                f"'{granule.cube_id}' is the id of a cube that others wrote or that is "
                "registered, into which nothing can be put; give another cube id"
            ) from None
        _check_names(granule)
        return granule, {}
    gone = deleted_of(granule, cube)
    chosen: Granule | None = replace(granule, again=False)
    if (granule.id_known or _meets(granule, cube.description)) and is_there(granule, cube):
        chosen = brought_back(granule, gone, cube) if granule.again else None
    elif gone and not granule.again:
        chosen = without(granule, gone, cube)
    left = {} if granule.again else gone
    if chosen is None:
        return None, left
    ready = completed(in_part(_fitted(chosen, cube.description, recipe), cube), cube)
    rule = None if recipe.mosaic is None else recipe.mosaic.rule
    return (ready if rule is None else over_stored(ready, cube, rule)), left


def _fitted(granule: Granule, cube: CoverageDescription, recipe: RecipeSettings) -> Granule:
    """The granule in the cube's packing; where a box in the recipe would help it is said."""
    try:
        return fitted(granule, cube)
    except SourceError as error:
        boxed = recipe.grid is None or recipe.grid.box is not None
        if boxed or granule.description.domain.grid == cube.domain.grid:
            raise
        hint = "sources of different extents meet in one cube where the recipe's grid has a box"
        raise SourceError(f"{error.message}; {hint}") from error


def _check_names(granule: Granule) -> None:
    """See that a cube can be made of a granule.

    Raises
    ------
    SourceError
        A name in it is taken, or its values cannot be stored.
    """
    try:
        storable(granule.description, granule.description.levels)
    except ValueError as error:
        raise SourceError(str(error)) from error


def _named(granule: Granule, options: ReadOptions) -> Granule:
    """The granule; under an own name where the user has set its time or its run."""
    said = [one for one in (options.time, options.run) if one is not None]
    after = "".join(f"@{one}" for one in said)
    known = granule.identity
    named = known + after if isinstance(known, str) else known.followed(after)
    return replace(granule, identity=named, again=options.again)


def _meets(granule: Granule, cube: CoverageDescription) -> bool:
    """Whether a cube has any of its times, as one that has seen it does."""
    own, times = granule.description.domain.time, cube.domain.time
    return own is None or times is None or bool(np.isin(own.ticks, times.ticks).any())
