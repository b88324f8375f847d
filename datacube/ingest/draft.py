"""A first recipe for a source: what it would become without one, to be edited."""

import json
from collections import Counter
from collections.abc import Iterator

from datacube.ingest.fetch import local
from datacube.ingest.readers import Readers, default_readers, find_reader, unknown
from datacube.ingest.source import Granule, ReadOptions
from datacube.model.fields import Field
from datacube.model.grid import RectifiedGrid

_HEAD = (
    "# yaml-language-server: $schema=../schema.json#/$defs/RecipeModel",
    "# How this product becomes a cube; what is deleted here, the source says.",
)
_TAIL = (
    "# grid:                       # bring every source to one grid",
    "{crs}",
    "#   resolution: {resolution}",
    "#   box: [{box}]",
    "# masks:                      # cells that are kept, by a quality field",
    "#   - {{field: {field}, {kept}}}",
    "# mosaic: {{by: day, rule: first}}   # sources of a solar day in one slice",
    "# chunk: 512                  # side of a chunk in cells",
    "# series: true                # a second copy for series along time",
)


def draft_recipe(source: str, *, readers: Readers | None = None) -> str:
    """YAML of a recipe with everything that the source says of itself.

    Parameters
    ----------
    source : str
        A file, a product folder or a URL of a file.

    Raises
    ------
    SourceError
        No reader knows it, or it cannot become a cube.
    """
    with local(source) as path:
        reader = find_reader(default_readers() if readers is None else readers, path)
        if reader is None:
            raise unknown(path)
        with reader.open(path.absolute(), ReadOptions()) as granules:
            return "\n".join([*_HEAD, *_lines(granules)]) + "\n"


def _lines(granules: tuple[Granule, ...]) -> Iterator[str]:
    main = granules[0].description
    yield f"name: {main.id}"
    yield f"cube: {main.id}"
    for key in ("title", "abstract", "attribution", "licence"):
        said = {getattr(one.description, key) for one in granules}
        if len(said) == 1 and (text := said.pop()):  # else each cube keeps its own
            yield f"{key}: {_quoted(text)}"
    yield "fields:"
    names = Counter(name for one in granules for name in one.description.range_type.names)
    listed: set[str] = set()
    for one in granules:
        yield f"  # {_shape(one)}"
        for field in one.description.range_type.fields:
            if field.name not in listed:
                # what is said of a name holds in every cube that has it
                yield from _field(field) if names[field.name] == 1 else _plain(field)
            listed.add(field.name)
    yield from _tail(granules[0])


def _shape(granule: Granule) -> str:
    """What the cube of a granule would be, in one line."""
    domain = granule.description.domain
    height, width = domain.grid.shape
    axes = "".join(f", {axis.name} {axis.size}" for axis in domain.axes)
    return f"{granule.cube_id}: {width} x {height} cells of {domain.grid.crs.key}{axes}"


def _plain(field: Field) -> Iterator[str]:
    yield f"  - source: {field.name}"


def _field(field: Field) -> Iterator[str]:
    yield from _plain(field)
    if field.title and field.title != field.name:
        yield f"    title: {_quoted(field.title)}"
    if field.uom:
        yield f"    unit: {_quoted(field.uom)}"
    if field.standard_name:
        yield f"    standard_name: {_quoted(field.standard_name)}"
    yield f"    overview: {field.overview}"
    if field.valid_range is not None:
        low, high = field.valid_range
        yield f"    range: [{_number(low)}, {_number(high)}]"


def _tail(granule: Granule) -> Iterator[str]:
    grid = granule.description.domain.grid
    box = ", ".join(map(_number, grid.bbox.edges))
    cell = (grid.dx, grid.dy) if isinstance(grid, RectifiedGrid) else (1.0, 1.0)
    sides = [_number(abs(side)) for side in cell]
    resolution = sides[0] if sides[0] == sides[1] else f"[{', '.join(sides)}]"
    crs = f"#   crs: {grid.crs.key}" if grid.crs.has_code else "#   # no crs: that of the source"
    last = granule.description.range_type.fields[-1]
    classes = [_number(one.value) for one in last.categories if one.value != last.nil]
    kept = f"values: [{', '.join(classes)}]" if classes else "range: [0.5, null]"
    for line in _TAIL:
        yield line.format(crs=crs, resolution=resolution, box=box, field=last.name, kept=kept)


def _number(value: float) -> str:
    """The shortest text that is read as the same number."""
    short = f"{value:.12g}"
    return short if float(short) == value else repr(float(value))


def _quoted(text: str) -> str:
    """Text as YAML: JSON's quotes are YAML's too."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
