"""``datacube plan``: what a request would read, before it is made."""

from urllib.parse import parse_qsl, urlsplit

import click

from datacube.config.settings import Config
from datacube.engine.context import Context, open_context
from datacube.engine.explain import Explained, explain_coverage, explain_map
from datacube.errors import InvalidParameter
from services.cli.options import store_option
from services.ows.kvp import Kvp
from services.ows.transport import Request
from services.wcs.handlers import decode_query
from services.wms.decode import decode_map
from services.wms.v130 import VERSION
from services.wmts.decode import decode_tile
from services.wmts.rest import parameters


@click.command("plan")
@click.argument("url")
@store_option
def plan_command(url: str, store: str) -> None:
    """Tell what URL reads: level, chunks, bytes, memory, stages.

    URL is a GetMap, GetTile (KVP or REST) or GetCoverage request; its host does not matter.
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
    kvp = Kvp(query)
    path = parts.path.rstrip("/")
    operation = kvp.optional("request", str.lower, "")
    if path.endswith("/wms") and operation == "getmap":
        return explain_map(context, decode_map(context, kvp, VERSION).query)
    if path.endswith("/wmts") and operation == "gettile":
        return explain_map(context, decode_tile(context, kvp).query)
    if "/wmts/" in path:
        tail = path.rpartition("/wmts/")[2]
        tile = parameters(context, Request("GET", path, query), tail)
        return explain_map(context, decode_tile(context, tile).query)
    if path.endswith("/wcs") and operation == "getcoverage":
        return (explain_coverage(context, decode_query(context, kvp)),)
    raise InvalidParameter(
        "only GetMap, GetTile and GetCoverage requests have a plan: a URL with /wms, /wmts or /wcs",
        subject="URL",
    )
