"""``datacube seed``: tiles drawn before anybody asks for them."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import click

from datacube.config.load import load_config
from datacube.engine.context import Context, open_context
from datacube.engine.cube import Cube
from datacube.errors import ConfigError, InvalidParameter
from datacube.model.tiling import TileMatrix, TileMatrixSet
from datacube.model.time import TimeRange, Timestamp
from services.cli.storage import store_option
from services.ows.tilesets import covered_box, tile_matrix_set
from services.ows.transport import Request
from services.ows.urls import segment
from services.tiles import service as tiles

type _Draw = Callable[[tuple[str, str]], None]

_TOGETHER = 64  # tiles that are handed to the threads at a time


@dataclass(frozen=True, slots=True)
class _Plan:
    """Tiles to draw: of each time and matrix, from the first row and column to the last."""

    times: Sequence[str]
    matrices: Sequence[tuple[TileMatrix, tuple[int, int, int, int]]]

    @property
    def count(self) -> int:
        """How many tiles."""
        each = ((b - t + 1) * (r - le + 1) for _, (t, b, le, r) in self.matrices)
        return sum(each) * len(self.times)

    @property
    def places(self) -> Iterator[tuple[str, str]]:
        """Place (``Z/Y/X``) and time of each tile."""
        for time in self.times:
            for matrix, (top, bottom, left, right) in self.matrices:
                rows, columns = range(top, bottom + 1), range(left, right + 1)
                for row, column in product(rows, columns):
                    yield f"{matrix.id}/{row}/{column}", time


@click.command("seed")
@click.option("--cube", "layer", required=True, metavar="LAYER", help="Cube or cube.field.")
@click.option("--style", default="default", show_default=True, help="Style of the tiles.")
@click.option("--tms", default="WebMercatorQuad", show_default=True, help="Tile matrix set.")
@click.option("--zoom", default="0-5", show_default=True, metavar="A-B", help="Zooms.")
@click.option(
    "--time",
    default="latest",
    show_default=True,
    metavar="T",
    help="A time, START/END, all or latest.",
)
@click.option(
    "--ending",
    default="png",
    show_default=True,
    type=click.Choice(["png", "webp", "jpg"]),
    help="Format of the tiles.",
)
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The server's configuration, which names the tile_cache.",
)
@store_option
def seed_command(
    layer: str,
    style: str,
    tms: str,
    zoom: str,
    time: str,
    ending: str,
    config_file: Path,
    store: str,
) -> None:
    """Draw the tiles of a layer into the tile cache that the configuration names.

    Tiles that are kept already are not drawn again, so that a run that was stopped goes on where it
    was; those that servers ask for later come from the cache, until a commit changes them.
    """
    config = load_config(config_file)
    if config.server.tile_cache is None:
        raise ConfigError(
            (f"{config_file}: there is no tile_cache to fill; add one with its url",),
            subject="tile_cache",
        )
    context = open_context(store, config)
    cube = context.catalog.layer(layer).cube
    chosen = tile_matrix_set(context, cube, tms)
    plan = _Plan(_times(cube, time), tuple(_matrices(chosen, cube, zoom)))
    base = f"{segment(layer)}/{style}/{tms}"

    def draw(place: tuple[str, str]) -> None:
        path, when = place
        query = (("time", when),) if when else ()
        answer = tiles.handle(context, Request("GET", "/tiles", query), f"{base}/{path}.{ending}")
        if answer.status != 200:
            body = answer.body if isinstance(answer.body, bytes) else b""
            raise InvalidParameter(body.decode("utf-8", "replace"), subject=path)

    _draw_all(context, plan, draw)
    kept = context.kept
    there = "" if kept is None or not kept.found else f"; {kept.found} of them were there already"
    place = config.server.tile_cache.url
    click.echo(f"{layer}: {plan.count} tiles of {tms} are kept in {place}{there}")
    if kept is not None and kept.dropped:
        click.echo(
            f"Warning: these are more than the tile cache may hold; the oldest {kept.dropped} have "
            "gone: set its size, or seed less",
            err=True,
        )


def _draw_all(context: Context, plan: _Plan, draw: _Draw) -> None:
    """All tiles, by as many threads as there are cores."""
    places = plan.places
    bar = click.progressbar(length=plan.count, label="Drawing tiles", file=sys.stderr)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool, bar:
        while some := list(islice(places, _TOGETHER)):
            for _ in pool.map(draw, some):
                bar.update(1)
    for threads in (context.steps, context.pool):
        threads.shutdown()


def _times(cube: Cube, text: str) -> Sequence[str]:
    """The times of the cube that a text means; one empty text of a cube without time."""
    axis = cube.description.domain.time
    if axis is None:
        return ("",)
    if text == "latest":
        return (axis.iso[-1],)
    if text == "all":
        return axis.iso
    first, _, last = text.partition("/")
    ends = TimeRange(Timestamp.parse(first), Timestamp.parse(last or first), None)
    low, high = ends.span(axis.calendar)
    found = [
        iso
        for iso, ticks in zip(axis.iso, axis.ticks.tolist(), strict=True)
        if (low is None or low <= ticks) and (high is None or ticks <= high)
    ]
    if not found:
        raise InvalidParameter(
            f"{cube.id} has no time in {text}; it has {axis.iso[0]} to {axis.iso[-1]}",
            subject="--time",
        )
    return found


def _matrices(
    chosen: TileMatrixSet, cube: Cube, zoom: str
) -> Iterator[tuple[TileMatrix, tuple[int, int, int, int]]]:
    """The matrices of the zooms, with the tiles that the cube touches."""
    low, _, high = zoom.partition("-")
    if not (low.isdecimal() and (high or low).isdecimal()):
        raise InvalidParameter(f"'{zoom}' are no zooms; write 0-5 or 3", subject="--zoom")
    last = min(int(high or low), len(chosen.matrices) - 1)
    box = covered_box(chosen, cube.description.domain.bbox)
    for matrix in chosen.matrices[int(low) : last + 1]:
        limits = None if box is None else chosen.limits(matrix, box)
        if limits is not None:
            yield matrix, limits
