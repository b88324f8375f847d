"""The cubes that are coverages here."""

from collections.abc import Iterator

from datacube.engine.context import Context
from datacube.engine.cube import Cube
from datacube.errors import CoverageNotFound


def published(context: Context) -> Iterator[Cube]:
    """The cubes that hold something."""
    return filter(_has_values, context.catalog.cubes())


def published_cube(context: Context, identifier: str) -> Cube:
    """A cube by id.

    Raises
    ------
    CoverageNotFound
        There is none, or it waits for its first time step.
    """
    cube = context.catalog.cube(identifier)
    if not _has_values(cube):
        raise CoverageNotFound(f"the cube '{identifier}' holds nothing yet", subject=identifier)
    return cube


def _has_values(cube: Cube) -> bool:
    return all(axis.size for axis in cube.description.domain.axes)
