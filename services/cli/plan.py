"""``datacube plan``: what a request would read, before it is made."""

from urllib.parse import parse_qsl, unquote, urlsplit

import click

from datacube.config.settings import Config
from datacube.engine.context import Context, open_context
from datacube.engine.cube import Cube
from datacube.engine.explain import (
    Explained,
    explain_area,
    explain_coverage,
    explain_line,
    explain_map,
    explain_samples,
)
from datacube.errors import InvalidParameter
from datacube.model.query import AreaQuery, CoverageQuery, LineQuery
from services.cli.storage import store_option
from services.ogcapi.edr import decode_edr
from services.ogcapi.maps import decode_picture
from services.ogcapi.parameters import decode_coverage
from services.ogcapi.settings import EDR_QUERIES
from services.ows.kvp import Kvp
from services.ows.transport import Request
from services.wcs.v201.handlers import decode_query
from services.wms.decode import decode_info as wms_info
from services.wms.decode import decode_map
from services.wms.v130 import VERSION
from services.wmts import rest
from services.wmts.decode import decode_info, decode_tile

_WITH_PLAN = (
    "a plan have GetMap and GetFeatureInfo at /wms, GetTile and GetFeatureInfo at /wmts, "
    "GetCoverage at /wcs, and map, coverage, position, trajectory, area and cube below "
    "/ogcapi/collections/ID"
)


@click.command("plan")
@click.argument("url")
@store_option
def plan_command(url: str, store: str) -> None:
    """Tell what URL reads: copy, level, chunks, bytes, memory, stages.

    URL is a request for a map, a tile, values at a pixel, a coverage, or one of the OGC API (map,
    coverage, position, trajectory, area, cube); its host does not matter.
    """
    context = open_context(store, Config())
    for one in explain(context, url):
        click.echo(one.text)


def explain(context: Context, url: str) -> tuple[Explained, ...]:
    """The plans of a request.

    Raises
    ------
    InvalidParameter
        The URL is none of the kinds that have a plan.
    DatacubeError
        What the request itself would be refused with.
    """
    parts = urlsplit(url)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    kvp, path = Kvp(query), unquote(parts.path.rstrip("/"))
    operation = kvp.optional("request", str.lower, "")
    if "/wmts/" in path:
        kvp = rest.parameters(context, Request("GET", path, query), path.rpartition("/wmts/")[2])
        return _tile(context, kvp, kvp.one("request").lower())
    if "/ogcapi/collections/" in path:
        name, _, what = path.rpartition("/ogcapi/collections/")[2].partition("/")
        return _collection(context, context.catalog.cube(name), what, Request("GET", path, query))
    match path.rpartition("/")[2], operation:
        case "wms", "getmap":
            return explain_map(context, decode_map(context, kvp, VERSION).query)
        case "wms", "getfeatureinfo":
            return explain_samples(context, wms_info(context, kvp, VERSION).query)
        case "wmts", "gettile" | "getfeatureinfo":
            return _tile(context, kvp, operation)
        case "wcs", "getcoverage":
            return (explain_coverage(context, decode_query(context, kvp)),)
        case _:
            raise InvalidParameter(_WITH_PLAN, subject="URL")


def _tile(context: Context, kvp: Kvp, operation: str) -> tuple[Explained, ...]:
    if operation == "getfeatureinfo":
        return explain_samples(context, decode_info(context, kvp).query)
    return explain_map(context, decode_tile(context, kvp).query)


def _collection(context: Context, cube: Cube, what: str, request: Request) -> tuple[Explained, ...]:
    """Requests below a collection of the OGC API."""
    kvp = Kvp(request.query)
    if what == "map":
        return explain_map(context, decode_picture(context, request, cube.id)[0])
    if what == "coverage":
        return (explain_coverage(context, decode_coverage(cube.description, kvp)),)
    if what not in EDR_QUERIES:
        raise InvalidParameter(_WITH_PLAN, subject="URL")
    match decode_edr(what, cube, kvp):
        case LineQuery() as query:
            return (explain_line(context, query),)
        case AreaQuery() as query:
            return (explain_area(context, query),)
        case CoverageQuery() as query:
            return (explain_coverage(context, query),)
