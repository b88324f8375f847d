"""``SLD_BODY`` and ``SLD``: styles that the request brings along.

A document at a URL is fetched only from the hosts that the configuration allows.
"""

from collections.abc import Sequence
from dataclasses import replace
from http.client import HTTPException
from typing import override
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

from datacube.config.settings import ServerSettings
from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.errors import InvalidParameter, StyleNotFound
from datacube.model.markup import LARGEST_DOCUMENT
from datacube.model.query import LayerRequest
from datacube.model.restyle import Restyle
from datacube.model.symbolizer import RasterSymbolizer
from datacube.render.sld import StyledLayer, read_sld
from services.ows.dimensions import layer_requests
from services.ows.kvp import Kvp

_SECONDS = 10


def styled_layers(settings: ServerSettings, kvp: Kvp) -> tuple[StyledLayer, ...]:
    """The layers of the request's SLD; none where it brings none.

    Raises
    ------
    InvalidParameter
        The document cannot be read, or may not be fetched.
    """
    if "sld_body" in kvp:
        return read_sld(kvp.one("SLD_BODY").encode("utf-8", "replace"))
    if "sld" in kvp:
        return read_sld(kvp.one("SLD", lambda url: _fetched(url.strip(), settings.sld_hosts)))
    return ()


def redrawn(
    requests: Sequence[LayerRequest], layers: Sequence[StyledLayer]
) -> tuple[LayerRequest, ...]:
    """The requests in the styles of a document; one layer alone needs no name.

    Raises
    ------
    StyleNotFound
        The document has no style for a layer.
    """
    by_name = {one.name: one for one in layers}
    alone = layers[0] if len(layers) == 1 else None
    found = []
    for request in requests:
        layer = by_name.get(request.layer, alone)
        if layer is None:
            raise StyleNotFound(
                f"the SLD has no style for the layer {request.layer}; it has some for "
                f"{', '.join(by_name)[:500]}",
                subject=request.layer,
            )
        found.append(replace(request, style=layer.style, restyle=_faded(layer, request.restyle)))
    return tuple(found)


def tile_requests(
    context: Context, kvp: Kvp, layer: Layer, style: str
) -> tuple[tuple[LayerRequest, ...], bool]:
    """As :func:`~services.ows.dimensions.layer_requests` of one layer, in the request's SLD.

    A document at a URL may change, so that what it draws is not firm.

    Raises
    ------
    DatacubeError
        What ``layer_requests``, :func:`styled_layers` and :func:`redrawn` raise.
    """
    requests, pinned = layer_requests(kvp, [layer], [style])
    described = styled_layers(context.settings, kvp)
    return redrawn(requests, described) if described else requests, pinned and "sld" not in kvp


def _faded(
    layer: StyledLayer, change: Restyle | RasterSymbolizer | None
) -> Restyle | RasterSymbolizer | None:
    """The description with the opacity that the request's own parameters say."""
    if not isinstance(change, Restyle) or change.opacity >= 1:
        return layer.symbolizer
    if layer.symbolizer is None:
        return Restyle(opacity=change.opacity)
    finish = layer.symbolizer.finish
    faded = replace(finish, opacity=finish.opacity * change.opacity)
    return replace(layer.symbolizer, finish=faded)


class _Stay(HTTPRedirectHandler):
    """No redirect is followed: it could lead anywhere."""

    @override
    def redirect_request(self, *_: object) -> None:
        return None


def _fetched(url: str, hosts: Sequence[str]) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or (parts.hostname or "") not in hosts:
        raise InvalidParameter(
            f"documents of '{(parts.hostname or url)[:100]}' are not fetched; "
            + (f"allowed are {', '.join(hosts)}" if hosts else "send them as SLD_BODY"),
            subject="SLD",
        )
    try:
        with build_opener(_Stay).open(url, timeout=_SECONDS) as answer:
            body: bytes = answer.read(LARGEST_DOCUMENT + 1)
            return body
    except (HTTPException, OSError, ValueError) as error:
        raise InvalidParameter(f"the SLD cannot be fetched: {error}", subject="SLD") from error
