"""DescribeLayer and GetStyles of the SLD profile (05-078r4, 10 and 02-070)."""

from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.model.symbolizer import Finish
from datacube.render.paint import category_colors
from datacube.render.ranges import resolved
from datacube.render.scale import palette_of
from datacube.render.style import Categories, Channel, ColorRamp, ColorStops, Composite, Style
from services.ows.caching import DOCUMENT
from services.ows.kvp import Kvp, comma_list
from services.ows.transport import Request, Response
from services.ows.urls import kvp_prefix
from services.ows.xml import XLINK, XSI, Element, Maker, serialise
from services.wms.version import Version

STYLES = "application/vnd.ogc.sld+xml"
_SLD_URI = "http://www.opengis.net/sld"
_SE_URI = "http://www.opengis.net/se"
_SCHEMAS = "http://schemas.opengis.net/sld"
_PLAIN = Maker("", {})
_DTD = "http://schemas.opengis.net/wms/1.1.1/WMS_DescribeLayerResponse.dtd"
_NAMES = {None: _SLD_URI, "se": _SE_URI, "xlink": XLINK, "xsi": XSI}
_SLD, _SE = Maker(_SLD_URI, _NAMES), Maker(_SE_URI, _NAMES)
_STEPS = 16  # entries of a ramp


def describe_layer(context: Context, request: Request, kvp: Kvp, version: Version) -> Response:
    """Which coverage each layer shows: the WCS to ask for its values."""
    layers = [context.catalog.layer(name) for name in kvp.one("LAYERS", comma_list)]
    url = kvp_prefix(request, "/wcs")
    if version.number == "1.1.1":
        described = (_described_dtd(layer, url) for layer in layers)
        root = _PLAIN("WMS_DescribeLayerResponse", *described, version="1.1.1")
        body = serialise(root, doctype=f'<!DOCTYPE WMS_DescribeLayerResponse SYSTEM "{_DTD}">')
        return Response(200, "application/vnd.ogc.wms_xml", body, (DOCUMENT,))
    root = _SLD(
        "DescribeLayerResponse",
        _SLD("Version", "1.1.0"),
        *(_described(layer, url) for layer in layers),
        xsi_schemaLocation=f"{_SLD_URI} {_SCHEMAS}/1.1.0/DescribeLayer.xsd",
    )
    return Response(200, "text/xml", serialise(root), (DOCUMENT,))


def _described_dtd(layer: Layer, url: str) -> Element:
    query = _PLAIN("Query", typeName=layer.cube.id)
    return _PLAIN("LayerDescription", query, name=layer.name, owsType="WCS", owsURL=url)


def _described(layer: Layer, url: str) -> Element:
    return _SLD(
        "LayerDescription",
        _SLD("owsType", "wcs"),
        _SE("OnlineResource", xlink_type="simple", xlink_href=url),
        _SLD("TypeName", _SE("CoverageName", layer.cube.id)),
    )


def get_styles(context: Context, _request: Request, kvp: Kvp, _version: Version) -> Response:
    """SLD 1.0 of the layers' styles; colour ramps by 16 of their colours."""
    layers = [context.catalog.layer(name) for name in kvp.one("LAYERS", comma_list)]
    root = _SLD(
        "StyledLayerDescriptor",
        *(_named_layer(layer) for layer in layers),
        version="1.0.0",
        xsi_schemaLocation=f"{_SLD_URI} {_SCHEMAS}/1.0.0/StyledLayerDescriptor.xsd",
    )
    return Response(200, STYLES, serialise(root), (DOCUMENT,))


def _named_layer(layer: Layer) -> Element:
    styles = (_user_style(layer, style, place == 0) for place, style in enumerate(layer.styles))
    return _SLD("NamedLayer", _SLD("Name", layer.name), *styles)


def _user_style(layer: Layer, style: Style, default: bool) -> Element:
    return _SLD(
        "UserStyle",
        _SLD("Name", style.name),
        _SLD("Title", style.title or style.name),
        _SLD("IsDefault", int(default)),
        _SLD(
            "FeatureTypeStyle",
            _SLD("Rule", _SLD("RasterSymbolizer", *_symbols(layer, style))),
        ),
    )


def _symbols(layer: Layer, style: Style) -> tuple[Element, ...]:
    """What of a style SLD can say."""
    match style:
        case ColorRamp() if not style.expression:
            return (_gray(style.field), _ramp(layer, style))
        case Categories():
            colors = category_colors(style.entries)
            entries = (
                _entry(one.value, color, one.label)
                for one, color in zip(style.entries, colors, strict=True)
            )
            return (_gray(style.field), _SLD("ColorMap", *entries, type="values"))
        case ColorStops():
            stops = (_entry(one.value, one.color, one.label) for one in style.stops)
            return (
                *_opacity(style.finish),
                _gray(style.field),
                _SLD("ColorMap", *stops, type=style.kind),
            )
        case Composite():
            names = ("RedChannel", "GreenChannel", "BlueChannel")
            channels = (
                _SLD(name, _SLD("SourceChannelName", one.field), _contrast(one))
                for name, one in zip(names, style.channels, strict=True)
            )
            return (*_opacity(style.finish), _SLD("ChannelSelection", *channels))
        case _:
            return ()


def _opacity(finish: Finish) -> tuple[Element, ...]:
    return () if finish.opacity >= 1 else (_SLD("Opacity", finish.opacity),)


def _contrast(channel: Channel) -> Element:
    """The stretch of a channel, as QGIS and GeoServer write it."""
    algorithm = "ClipToMinimumMaximum" if channel.clip else "StretchToMinimumMaximum"
    options = (("algorithm", algorithm), ("minValue", channel.low), ("maxValue", channel.high))
    gamma = _SLD("GammaValue", channel.gamma) if channel.gamma != 1.0 else None
    listed = (_SLD("VendorOption", value, name=name) for name, value in options)
    return _SLD("ContrastEnhancement", _SLD("Normalize", *listed), gamma)


def _gray(field: str) -> Element:
    return _SLD("ChannelSelection", _SLD("GrayChannel", _SLD("SourceChannelName", field)))


def _ramp(layer: Layer, style: ColorRamp) -> Element:
    ramp = resolved(style, layer.cube.description.range_type.field(style.field))
    palette = palette_of(ramp)
    low, high = float(ramp.low or 0.0), float(ramp.high or 0.0)
    entries = []
    for step in range(_STEPS + 1):
        share = step / _STEPS
        value = low * (high / low) ** share if ramp.log else low + (high - low) * share
        slot = palette.slots[round(share * (len(palette.slots) - 1))]
        entries.append(_entry(value, tuple(palette.colors[slot].tolist()), ""))
    return _SLD("ColorMap", *entries, type="ramp")


def _entry(value: float, color: tuple[int, ...], label: str) -> Element:
    red, green, blue, alpha = color
    return _SLD(
        "ColorMapEntry",
        color=f"#{red:02x}{green:02x}{blue:02x}",
        opacity=None if alpha == 255 else f"{alpha / 255:.3g}",
        quantity=f"{value:.9g}",
        label=label or None,
    )
