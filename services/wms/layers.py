"""The layer tree of a WMS, the same for every version.

The root holds a group for each cube, and a group the cube's default picture (``cube``) and its
fields (``cube.field``). Groups have no name of their own: styles are inherited from named layers,
and the styles of the picture are none of a field's. Where only the pictures are listed, there are
no groups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datacube.config.metadata import MetadataLink
from datacube.engine.context import Context
from datacube.engine.cube import Cube, Layer
from datacube.engine.places import default_place
from datacube.model.axis import Axis, TimeAxis
from datacube.model.bbox import BoundingBox
from services.ows.boxes import geographic_box, published_boxes
from services.ows.dimensions import RUN, dimension_name, stated_default
from services.ows.extents import (
    axis_extent,
    axis_unit,
    level_extent,
    shown_place,
    time_extent,
)
from services.ows.legends import listed_styles


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension of a named layer.

    Parameters
    ----------
    name, unit, symbol, default : str
    values : tuple of str
        Values or ranges.
    nearest, multiple, current : bool
    """

    name: str
    unit: str
    symbol: str
    default: str
    values: tuple[str, ...]
    nearest: bool = True
    multiple: bool = False
    current: bool = False


@dataclass(frozen=True, slots=True)
class StyleEntry:
    """A style, with the size of its legend in pixels."""

    name: str
    title: str
    legend: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """A named layer.

    Parameters
    ----------
    boxes : one for each CRS offered, the cube's own first
    cube : str, its id
    metadata : records of the cube elsewhere
    """

    name: str
    title: str
    abstract: str
    keywords: tuple[str, ...]
    attribution: str
    world: BoundingBox
    boxes: tuple[BoundingBox, ...]
    dimensions: tuple[Dimension, ...]
    styles: tuple[StyleEntry, ...]
    cube: str
    metadata: tuple[MetadataLink, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A cube's layers.

    Parameters
    ----------
    title, abstract : str
    layers : the cube's picture, then its fields
    apart : bool, whether they stand in a layer of their own
    """

    title: str
    abstract: str
    layers: tuple[LayerEntry, ...]
    apart: bool


def layer_tree(context: Context, cubes: Sequence[str] = ()) -> tuple[Group, ...]:
    """Groups of all cubes in the catalogue's order, or of those that are named.

    Raises
    ------
    CoverageNotFound
        There is no cube or layer of a name.
    """
    pictured = context.catalog.pictured()
    if not cubes:
        return tuple(_group(context, cube) for cube in pictured)
    wanted = {context.catalog.layer(name).cube for name in cubes}
    return tuple(_group(context, cube) for cube in pictured if cube.shown in wanted)


def common_crs(groups: tuple[Group, ...]) -> tuple[str, ...]:
    """CRS keys that every named layer offers; they must stand on the root (06-042, 7.2.4.6.7).

    The order is the first layer's, so a CRS that all cubes are in stands first.
    """
    offered = [[box.crs.key for box in layer.boxes] for group in groups for layer in group.layers]
    if not offered:
        return ("OGC:CRS84", "EPSG:4326", "EPSG:3857")
    return tuple(key for key in offered[0] if all(key in others for others in offered))


def _group(context: Context, cube: Cube) -> Group:
    box = cube.description.domain.bbox
    world, boxes = geographic_box(box), published_boxes(box)
    dimensions = tuple(_dimensions(cube.shown))
    apart = context.settings.wms_layers == "all"
    layers = tuple(
        LayerEntry(
            layer.name,
            layer.title,
            cube.abstract,
            _keywords(layer),
            cube.attribution or context.settings.attribution,
            world,
            boxes,
            dimensions,
            tuple(
                StyleEntry(style.name, style.title or style.name, size)
                for style, size in listed_styles(layer)
            ),
            cube.id,
            cube.settings.metadata,
        )
        for layer in (cube.layers if apart else cube.layers[:1])
    )
    return Group(cube.title, cube.abstract, layers, apart)


def _dimensions(cube: Cube) -> Iterator[Dimension]:
    """Dimensions of a cube's axes, and of the runs of a forecast."""
    for axis in cube.description.domain.axes:
        yield _dimension(cube, axis)
    if cube.view is not None:
        values = time_extent(cube.view.axes.runs)
        nearest = bool(cube.settings.time.nearest)
        yield Dimension(RUN, "ISO8601", "", "current", values, nearest, current=True)


def _dimension(cube: Cube, axis: Axis) -> Dimension:
    name = dimension_name(axis, vertical=axis is cube.description.domain.vertical)
    if isinstance(axis, TimeAxis):
        nearest = bool(cube.settings.time.nearest)
        values = time_extent(axis)
        return Dimension(
            name,
            "ISO8601",
            "",
            stated_default(cube, axis),
            values,
            nearest,
            multiple=True,
            current=True,
        )
    unit = axis_unit(axis)
    default = shown_place(default_place(cube, axis))
    if axis is not cube.description.domain.vertical:
        return Dimension(name, unit, unit, default, axis_extent(axis))
    levels, values = cube.settings.levels, level_extent(axis)
    units = levels.crs or unit
    return Dimension(name, units, unit, default, values, levels.nearest, multiple=levels.several)


def _keywords(layer: Layer) -> tuple[str, ...]:
    """Standard names, or else names, of a layer's fields."""
    fields = (layer.cube.description.range_type.field(name) for name in layer.fields)
    return tuple(dict.fromkeys(field.standard_name or field.name for field in fields))
