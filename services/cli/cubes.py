"""``datacube ls``, ``show`` and ``verify``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from difflib import get_close_matches
from itertools import accumulate
from math import isnan
from typing import Any

import click

from datacube.errors import CoverageNotFound, OperationNotSupported, StorageError
from datacube.model.axis import Axis, IndexAxis, TimeAxis, axis_values
from datacube.model.fields import Field
from datacube.model.grid import ReferenceableGrid
from datacube.store.cache import ChunkCache
from datacube.store.cube import CubeStore, open_cube
from datacube.store.foreign import ForeignCubes
from datacube.store.index import list_cubes
from datacube.store.maintain import Damage, verify, verify_foreign
from datacube.store.objects import ObjectStore
from datacube.store.slots import writing_since
from datacube.store.source import CubeSource
from datacube.store.together import asked_together
from datacube.store.url import open_store
from services.cli.options import json_option, write_json, write_table
from services.cli.sources import write_sources
from services.cli.storage import store_option

MOST_LETTERS = 40  # of the fields of a cube in a line
MOST_CUBES = 10  # that a message names


@click.command("ls")
@store_option
@json_option
def ls_command(store: str, as_json: bool) -> None:
    """List the cubes of a store, and what others wrote in it that can be served."""
    cubes = list(found_cubes(open_store(store)).values())
    if as_json:
        write_json([describe(cube) for cube in cubes])
    elif not cubes:
        click.echo(f"{store} holds no cube", err=True)
    else:
        write_table(("CUBE", "FIELDS", "CELLS", "TIMES", "TITLE"), [_row(cube) for cube in cubes])


@click.command("show")
@click.argument("cube")
@click.option("--sources", is_flag=True, help="Where its slices came from, instead.")
@store_option
@json_option
def show_command(cube: str, sources: bool, store: str, as_json: bool) -> None:
    """Show one cube: grid, axes, fields, version; or the sources of its slices."""
    objects = open_store(store)
    found = _opened(objects, cube)
    if sources:
        write_sources(found, as_json=as_json)
        return
    document = describe(found) | {"updating_since": _updating_since(objects, found)}
    if as_json:
        write_json(document)
        return
    click.echo(click.style(f"{found.id}: {document['title']}", bold=True))
    texts = ("abstract", "attribution", "licence", "crs")
    lines = [(key, document[key]) for key in texts if document[key]]
    lines.append(("grid", f"{document['width']} x {document['height']} cells, {document['grid']}"))
    lines.append(("bbox", ", ".join(f"{edge:.10g}" for edge in document["bbox"])))
    committed = f", committed {document['committed']}" if document["committed"] else ""
    lines.append(("version", f"{found.snapshot}{committed}"))
    if document["updating_since"]:
        lines.append(("being written", f"since {document['updating_since']}"))
    lines.append(("overviews", ", ".join(f"1:{level['factor']}" for level in document["levels"])))
    lines.append(("series copy", _series_text(document["series"])))
    lines += [(axis["name"], _span(axis)) for axis in document["axes"]]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"  {name:<{width}}  {text}")
    click.echo()
    rows = [
        (
            one["name"],
            one["dtype"],
            one["uom"],
            "-" if one["nil"] is None else str(one["nil"]),
            _packing(one),
            "" if one["classes"] else _values(one["statistics"]),
            one["title"],
        )
        for one in document["fields"]
    ]
    write_table(("FIELD", "DTYPE", "UNIT", "NO DATA", "PACKING", "2 % .. 98 %", "TITLE"), rows)


@click.command("verify")
@click.argument("cube", required=False)
@store_option
@json_option
def verify_command(cube: str | None, store: str, as_json: bool) -> int:
    """Check every stored chunk of a cube, or of all: presence, length, checksum.

    Of what others wrote there are no checksums: there every chunk is decoded. Leaves with 1 where
    a chunk is damaged.
    """
    objects = open_store(store)
    cubes = found_cubes(objects) if cube is None else {cube: _opened(objects, cube)}
    found = {name: damages_of(one) for name, one in cubes.items()}
    if as_json:
        write_json(
            [
                {
                    "cube": name,
                    "sound": not damages,
                    "damages": [asdict(one) for one in damages],
                }
                for name, damages in found.items()
            ]
        )
    else:
        for name, damages in found.items():
            count = f"{len(damages)} damaged chunk{'' if len(damages) == 1 else 's'}"
            click.echo(f"{name}: {count if damages else 'sound'}")
            for one in damages:
                click.echo(f"  {one}", err=True)
    return int(any(found.values()))


def describe(cube: CubeSource) -> dict[str, Any]:
    """Everything about a cube that a script may want."""
    whole = cube.description
    height, width = whole.domain.grid.shape
    return {
        "id": cube.id,
        "title": whole.title,
        "abstract": whole.abstract,
        "attribution": whole.attribution,
        "licence": whole.licence,
        "crs": whole.domain.grid.crs.key,
        "grid": "curvilinear" if isinstance(whole.domain.grid, ReferenceableGrid) else "regular",
        "bbox": list(whole.domain.bbox.edges),
        "width": width,
        "height": height,
        "axes": [_axis(axis) for axis in whole.domain.axes],
        "fields": [_field(cube, field) for field in whole.range_type.fields],
        "levels": [{"number": one.number, "factor": one.factor} for one in whole.levels],
        "series": _series(cube),
        "version": cube.version if isinstance(cube, CubeStore) else None,
        "snapshot": cube.snapshot,
        "committed": cube.committed if isinstance(cube, CubeStore) else None,
    }


def _updating_since(store: ObjectStore, cube: CubeSource) -> str | None:
    """When the oldest writing began that goes on now; what others wrote does not say."""
    if not isinstance(cube, CubeStore):
        return None
    try:
        since = writing_since(store, cube.id)
    except StorageError:  # a web server, or a bucket that only gives objects
        return None
    return None if since is None else f"{since:%Y-%m-%dT%H:%M:%SZ}"


def _axis(axis: Axis) -> dict[str, Any]:
    values = [one if isinstance(one, str) else float(one) for one in axis_values(axis)]
    return {
        "name": axis.name,
        "kind": type(axis).__name__,
        "size": axis.size,
        "uom": "" if isinstance(axis, TimeAxis) else axis.uom,
        "first": values[0],
        "last": values[-1],
        "calendar": axis.calendar if isinstance(axis, TimeAxis) else None,
        "labels": list(axis.labels) if isinstance(axis, IndexAxis) else [],
    }


def _field(cube: CubeSource, field: Field) -> dict[str, Any]:
    known = cube.statistics(field.name)
    return {
        "name": field.name,
        "title": field.title,
        "standard_name": field.standard_name,
        "dtype": field.dtype,
        "uom": field.uom,
        "nil": "NaN" if field.nil is not None and isnan(field.nil) else field.nil,
        "scale": field.scale,
        "offset": field.offset,
        "classes": [asdict(one) for one in field.categories],
        "statistics": None if known is None else asdict(known),
    }


def _series(cube: CubeSource) -> dict[str, int] | None:
    """The copy that is long in time; None where none is kept."""
    kept = cube.record.series if isinstance(cube, CubeStore) else None
    if kept is None:
        return None
    held = sum(one.count for one in kept.segments)
    return {"steps": kept.steps, "segments": len(kept.segments), "times": held}


def _series_text(series: dict[str, int] | None) -> str:
    if series is None:
        return "none"
    return f"{series['times']} times in {series['segments']} segments of up to {series['steps']}"


def _values(statistics: dict[str, Any] | None) -> str:
    if statistics is None:
        return "-"
    return f"{statistics['quantiles'][0]:g} .. {statistics['quantiles'][-1]:g}"


def _row(cube: CubeSource) -> tuple[str, ...]:
    whole = cube.description
    height, width = whole.domain.grid.shape
    time = whole.domain.time
    times = ""
    if time is not None:
        last = f" .. {time.iso[-1]}" if time.size > 1 else ""
        times = f"{time.size} ({time.iso[0]}{last})"
    return cube.id, _names(whole.range_type.names), f"{width} x {height}", times, whole.title


def _names(names: Sequence[str]) -> str:
    """As many names as a line has room for, at least one."""
    lengths = accumulate(len(name) + 1 for name in names)
    room = sum(length <= MOST_LETTERS for length in lengths)
    return ",".join(names if room == len(names) else (*names[: max(1, room)], "…"))


def _span(axis: dict[str, Any]) -> str:
    if axis["size"] == 1:
        return f"{axis['first']} {axis['uom']}".rstrip()
    return f"{axis['size']} from {axis['first']} to {axis['last']} {axis['uom']}".rstrip()


def _packing(field: dict[str, Any]) -> str:
    scale, offset = field["scale"], field["offset"]
    if not offset:
        return "" if scale == 1 else f"{scale:g} n"
    return f"{scale:g} n {'-' if offset < 0 else '+'} {abs(offset):g}"


def found_cubes(objects: ObjectStore) -> dict[str, CubeSource]:
    """Every cube of a store by id: its own, then those in what others wrote."""
    names = list_cubes(objects)
    opened = asked_together(objects, lambda name: open_cube(objects, name), names)
    own: dict[str, CubeSource] = dict(zip(names, opened, strict=True))
    return own | dict(ForeignCubes(objects, ChunkCache()).look(own.keys()))


def damages_of(cube: CubeSource) -> list[Damage]:
    """What is damaged in a cube."""
    return verify(cube) if isinstance(cube, CubeStore) else verify_foreign(cube)


@contextmanager
def of_ours(objects: ObjectStore, name: str) -> Iterator[None]:
    """What wants a cube of this program; where it finds none the error says what there is.

    Raises
    ------
    CoverageNotFound
        There is no such cube; those that may have been meant are named.
    OperationNotSupported
        Others wrote it, or it is registered.
    """
    try:
        yield
    except CoverageNotFound:
        found = _opened(objects, name)
        if isinstance(found, CubeStore):
            raise
        raise OperationNotSupported(
            f"'{name}' is served as it lies, and was not written by datacube ingest: it has no "
            "versions, and cannot be changed from here",
            subject=name,
        ) from None


def _opened(objects: ObjectStore, name: str) -> CubeSource:
    try:
        return open_cube(objects, name)
    except CoverageNotFound as error:
        foreign = ForeignCubes(objects, ChunkCache())
        own = list_cubes(objects)
        others = foreign.look(own)
        name = foreign.aliases().get(name, name)
        if name in others:
            return others[name]
        raise CoverageNotFound(f"{error.message}; {_known([*own, *others], name)}") from error


def _known(names: Sequence[str], wanted: str) -> str:
    """The cubes that may have been meant, else the first of all."""
    if not names:
        return "it holds none"
    near = [name for name in names if wanted.lower() in name.lower()]
    if near := near or get_close_matches(wanted, names):
        return f"did you mean {' or '.join(near[:3])}?"
    return f"there are {', '.join(names[:MOST_CUBES])}{' …' if len(names) > MOST_CUBES else ''}"
