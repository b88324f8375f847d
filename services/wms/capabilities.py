"""Elements of a capabilities document that the versions share, from the layer tree."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from datacube.config.metadata import MetadataLink
from datacube.model.crs import Crs
from services.ows.legends import legend_url
from services.ows.pictures import PNG
from services.ows.transport import Request
from services.ows.urls import endpoint, kvp_prefix, segment
from services.ows.xml import XLINK, Element, Maker
from services.wms.layers import Dimension, Group, LayerEntry, StyleEntry, common_crs


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a version writes its layers.

    Parameters
    ----------
    wms : Maker of its elements
    crs : str, name of the element of a CRS
    offers : whether the version can name a CRS
    boxes : elements of the boxes of a layer
    dimensions : elements of the dimensions of a layer
    standard : name that the version has for a standard of metadata; empty where it has none
    """

    wms: Maker
    crs: str
    offers: Callable[[Crs], bool]
    boxes: Callable[[LayerEntry], Iterable[Element]]
    dimensions: Callable[[Sequence[Dimension]], Iterable[Element]]
    standard: Callable[[str], str]


def root_layer(
    words: Vocabulary,
    request: Request,
    title: str,
    groups: Sequence[Group],
    boxes: Iterable[Element] = (),
) -> Element:
    """The layer without a name that holds all others, with the CRSs that all of them offer."""
    common = (Crs.parse(key) for key in common_crs(tuple(groups)))
    return words.wms(
        "Layer",
        words.wms("Title", title),
        *(words.wms(words.crs, crs.short) for crs in common if words.offers(crs)),
        *boxes,
        *(one for group in groups for one in _group(words, request, group)),
    )


def operation(maker: Maker, wms: Maker, name: str, formats: Iterable[str], url: str) -> Element:
    """An operation with its formats, by GET and by POST of a form.

    Parameters
    ----------
    maker : of the operation itself, which may stand in another namespace
    """
    return maker(
        name,
        *(wms("Format", media_type) for media_type in formats),
        wms(
            "DCPType",
            wms(
                "HTTP",
                wms("Get", online_resource(wms, url)),
                wms("Post", online_resource(wms, url)),
            ),
        ),
    )


def service_url(request: Request) -> str:
    """URL of all operations."""
    return kvp_prefix(request, "/wms")


def online_resource(wms: Maker, url: str) -> Element:
    """OnlineResource with its link, the only element that the DTD of 1.1.1 lets declare xlink."""
    linked = Maker(wms.namespace, {**wms.prefixes, "xlink": XLINK})
    return linked("OnlineResource", xlink_type="simple", xlink_href=url)


def keyword_list(wms: Maker, keywords: Sequence[str]) -> Element | None:
    """KeywordList, or nothing."""
    if not keywords:
        return None
    return wms("KeywordList", *(wms("Keyword", keyword) for keyword in keywords))


def text_element(wms: Maker, name: str, text: str) -> Element | None:
    """An element with text, or nothing."""
    return wms(name, text) if text else None


def _group(words: Vocabulary, request: Request, group: Group) -> tuple[Element, ...]:
    """The layers of a cube, in one of their own or as they are."""
    wms = words.wms
    layers = tuple(_layer(words, request, layer) for layer in group.layers)
    if not group.apart:
        return layers
    abstract = text_element(wms, "Abstract", group.abstract)
    return (wms("Layer", wms("Title", group.title), abstract, *layers),)


def _layer(words: Vocabulary, request: Request, layer: LayerEntry) -> Element:
    wms = words.wms
    return wms(
        "Layer",
        wms("Name", layer.name),
        wms("Title", layer.title),
        text_element(wms, "Abstract", layer.abstract),
        keyword_list(wms, layer.keywords),
        *(wms(words.crs, box.crs.short) for box in layer.boxes if words.offers(box.crs)),
        *words.boxes(layer),
        *words.dimensions(layer.dimensions),
        wms("Attribution", wms("Title", layer.attribution)) if layer.attribution else None,
        *_metadata(words, request, layer),
        *(_style(wms, request, layer.name, style) for style in layer.styles),
        queryable="1",
    )


def _metadata(words: Vocabulary, request: Request, layer: LayerEntry) -> Iterator[Element]:
    """The records of the layer's cube, and the collection of OGC API that it is."""
    wms = words.wms
    collection = endpoint(request, f"ogcapi/collections/{segment(layer.cube)}?f=json")
    for link in (*layer.metadata, MetadataLink(collection, "OGCAPI-Common", "application/json")):
        if standard := words.standard(link.standard):
            resource = online_resource(wms, link.url)
            yield wms("MetadataURL", wms("Format", link.media_type), resource, type=standard)


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
