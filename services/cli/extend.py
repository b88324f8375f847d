"""``datacube extend``."""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
from rich.progress import MofNCompleteColumn

from datacube.errors import InvalidParameter
from datacube.ingest.lacking import lacking_fields
from datacube.model.bbox import BoundingBox
from datacube.model.fields import Field
from datacube.model.grid import Grid, RectifiedGrid
from datacube.store.commit import Change, with_field
from datacube.store.cube import CubeStore, open_cube
from datacube.store.regrow import holding
from datacube.store.url import open_store
from services.cli.cubes import of_ours
from services.cli.options import recipe_of, recipe_option
from services.cli.progress import progress_bar
from services.cli.storage import store_option


@click.command("extend")
@click.argument("cube")
@click.option("--like", "source", metavar="SOURCE", help="Add the fields that this source has.")
@recipe_option
@click.option(
    "--bbox",
    nargs=4,
    type=float,
    metavar="LEFT BOTTOM RIGHT TOP",
    help="Make the grid hold this box, in the cube's CRS.",
)
@click.option("--dry-run", is_flag=True, help="Only say what the cube would have.")
@store_option
def extend_command(
    cube: str,
    source: str | None,
    recipe_file: Path | None,
    bbox: tuple[float, float, float, float] | None,
    dry_run: bool,
    store: str,
) -> None:
    """Give a cube further fields, or a larger grid; there is no data in what is new.

    A field costs nothing. For a larger grid every slice is written anew, which takes as long as a
    copy of the cube; readers keep the version that they have meanwhile.
    """
    if source is None and bbox is None:
        raise click.UsageError("say what is to be added: --like SOURCE, --bbox or both")
    objects = open_store(store)
    with of_ours(objects, cube):
        found = open_cube(objects, cube)
    known = found.description
    fields = () if source is None else lacking_fields(source, known, recipe_of(recipe_file, ()))
    grid: Grid = known.domain.grid
    if bbox is not None:
        grid = holding(grid, BoundingBox(*bbox, grid.crs))
    grows = grid != known.domain.grid
    if not grows and not fields:
        click.echo(f"{cube}: has all of that already")
        return
    _check_nil((*known.range_type.fields, *fields) if grows else fields)
    news = _news(found, grid if grows else None, fields)
    if dry_run:
        change = Change({}, {}, "")
        for one in fields:
            change = with_field(change, found.record, one)
        cost = f"; {_count(len(found.record.slices), 'slice')} would be written anew"
        click.echo(f"{cube}: would have {news}{cost if grows else ''}")
        return
    version = _extended(found, grid if grows else None, fields, news)
    click.echo(f"{cube}: version {version} has {news}")


def _check_nil(fields: Iterable[Field]) -> None:
    """Refuse what would take the place of no data for a value."""
    for one in fields:
        if one.nil is None and np.dtype(one.dtype).kind != "f":
            raise InvalidParameter(
                f"the field {one.name} ({one.dtype}) has no number for no data, and there is none "
                "in what would be new",
                subject=one.name,
            )


def _extended(cube: CubeStore, grid: Grid | None, fields: tuple[Field, ...], news: str) -> int:
    """Commit both as one version; its number."""
    bar = progress_bar(MofNCompleteColumn())
    with bar, cube.transaction(f"extended: {news}") as change:
        for one in fields:
            change.add_field(one)
        if isinstance(grid, RectifiedGrid):
            task = bar.add_task(cube.id, total=len(cube.record.slices))
            change.grow(grid, lambda: bar.advance(task))
    return cube.version if change.committed is None else change.committed.number


def _news(cube: CubeStore, grid: Grid | None, fields: tuple[Field, ...]) -> str:
    parts = []
    if grid is not None:
        sizes = [f"{one.width} x {one.height}" for one in (grid, cube.description.domain.grid)]
        parts.append(f"{sizes[0]} cells (before {sizes[1]})")
    if fields:
        names = ", ".join(f"{one.name} ({one.dtype})" for one in fields)
        parts.append(f"the further field{'' if len(fields) == 1 else 's'} {names}")
    return " and ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
