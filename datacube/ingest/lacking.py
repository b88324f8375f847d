"""What a cube lacks to take a source."""

from datacube.config.products import RecipeSettings
from datacube.errors import SourceError
from datacube.ingest.fetch import local
from datacube.ingest.opened import opened
from datacube.ingest.pipeline import options_of
from datacube.ingest.readers import Readers, default_readers, find_reader, unknown
from datacube.ingest.source import Granule
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field


def lacking_fields(
    source: str,
    cube: CoverageDescription,
    recipe: RecipeSettings | None = None,
    readers: Readers | None = None,
) -> tuple[Field, ...]:
    """The fields that a source has and a cube has not, as the source has them.

    Parameters
    ----------
    source : str
        A file, a product folder or a URL of a file.
    cube : CoverageDescription
    recipe : RecipeSettings, optional
        The one by which sources go into the cube.

    Raises
    ------
    SourceError
        No reader knows it, it cannot become a cube, or it is for other cubes; or the cube has no
        time.
    """
    if cube.domain.time is None:
        raise SourceError(
            f"the cube '{cube.id}' has no time and is written once, so that nothing could come "
            "into further fields; put them into a cube of their own"
        )
    recipe = recipe or RecipeSettings()
    with local(source) as path:
        reader = find_reader(default_readers() if readers is None else readers, path)
        if reader is None:
            raise unknown(path)
        with opened(reader, path, options_of(recipe, None, None), recipe) as granules:
            fields = _of_cube(granules, cube.id).description.range_type.fields
    known = {one.name.lower() for one in cube.range_type.fields}
    return tuple(one for one in fields if one.name.lower() not in known)


def _of_cube(granules: tuple[Granule, ...], cube_id: str) -> Granule:
    """The granule for a cube; the only one may be for a cube of another name."""
    for one in granules:
        if one.cube_id == cube_id:
            return one
    if len(granules) > 1:
        names = ", ".join(one.cube_id for one in granules)
        raise SourceError(f"it goes into the cubes {names}, not into '{cube_id}'")
    return granules[0]
