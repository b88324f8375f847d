"""Elements of a capabilities document that the versions share, from the layer tree."""

from collections.abc import Iterator, Sequence

from datacube.model.crs import Crs
from services.ows.boxes import ordered_edges
from services.ows.extents import plain_number
from services.ows.legends import legend_url
from services.ows.pictures import PNG
from services.ows.transport import Request
from services.ows.xml import Element, Maker
from services.wms.layers import Dimension, Group, LayerEntry, StyleEntry, common_crs

type Elements = Iterator[Element]


def root_layer(wms: Maker, request: Request, title: str, groups: Sequence[Group]) -> Element:
    """The layer without a name that holds all others, with the CRSs that all of them offer."""
    common = common_crs(tuple(groups))
    return wms(
        "Layer",
        wms("Title", title),
        *(wms("CRS", Crs.parse(key).short) for key in common),
        *(_group(wms, request, group) for group in groups),
    )


def online_resource(wms: Maker, url: str) -> Element:
    """OnlineResource with its link."""
    return wms("OnlineResource", xlink_type="simple", xlink_href=url)


def keyword_list(wms: Maker, keywords: Sequence[str]) -> Element | None:
    """KeywordList, or nothing."""
    if not keywords:
        return None
    return wms("KeywordList", *(wms("Keyword", keyword) for keyword in keywords))


def text_element(wms: Maker, name: str, text: str) -> Element | None:
    """An element with text, or nothing."""
    return wms(name, text) if text else None


def _group(wms: Maker, request: Request, group: Group) -> Element:
    return wms(
        "Layer",
        wms("Title", group.title),
        text_element(wms, "Abstract", group.abstract),
        *(_layer(wms, request, layer) for layer in group.layers),
    )


def _layer(wms: Maker, request: Request, layer: LayerEntry) -> Element:
    return wms(
        "Layer",
        wms("Name", layer.name),
        wms("Title", layer.title),
        text_element(wms, "Abstract", layer.abstract),
        keyword_list(wms, layer.keywords),
        *(wms("CRS", box.crs.short) for box in layer.boxes),
        *_boxes(wms, layer),
        *(_dimension(wms, dimension) for dimension in layer.dimensions),
        wms("Attribution", wms("Title", layer.attribution)) if layer.attribution else None,
        *(_style(wms, request, layer.name, style) for style in layer.styles),
        queryable="1",
    )


def _boxes(wms: Maker, layer: LayerEntry) -> Elements:
    world = layer.world
    yield wms(
        "EX_GeographicBoundingBox",
        wms("westBoundLongitude", plain_number(world.left)),
        wms("eastBoundLongitude", plain_number(world.right)),
        wms("southBoundLatitude", plain_number(world.bottom)),
        wms("northBoundLatitude", plain_number(world.top)),
    )
    for box in layer.boxes:
        minx, miny, maxx, maxy = map(plain_number, ordered_edges(box))
        yield wms("BoundingBox", CRS=box.crs.short, minx=minx, miny=miny, maxx=maxx, maxy=maxy)


def _dimension(wms: Maker, dimension: Dimension) -> Element:
    return wms(
        "Dimension",
        ",".join(dimension.values),
        name=dimension.name,
        units=dimension.unit,
        unitSymbol=dimension.symbol or None,
        default=dimension.default,
        multipleValues=int(dimension.multiple),
        nearestValue=int(dimension.nearest),
        current="1" if dimension.current else None,
    )


def _style(wms: Maker, request: Request, layer: str, style: StyleEntry) -> Element:
    width, height = style.legend
    return wms(
        "Style",
        wms("Name", style.name),
        wms("Title", style.title),
        wms(
            "LegendURL",
            wms("Format", PNG),
            online_resource(wms, legend_url(request, layer, style.name, style.legend)),
            width=width,
            height=height,
        ),
    )
