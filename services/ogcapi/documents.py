"""pygeoapi's documents over our catalog: landing page, conformance, collections, schemas, OpenAPI.

pygeoapi's functions are called as functions; its Starlette application, configuration files and
environment variables are not used. Its API object is rebuilt when the catalog changes.
"""

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pygeoapi import api as documents
from pygeoapi.api import itemtypes
from pygeoapi.openapi import get_oas_30

from datacube.engine.context import Context
from services.ogcapi.media import HTML
from services.ogcapi.openapi import completed
from services.ogcapi.settings import COVERAGE_REL, pygeoapi_config

type Document = Callable[..., tuple[dict[str, str], int, str | bytes]]

LANDING: Document = documents.landing_page
CONFORMANCE: Document = documents.conformance
OPENAPI: Document = documents.openapi_
COLLECTIONS: Document = documents.describe_collections
SCHEMA: Document = documents.get_collection_schema
QUERYABLES: Document = itemtypes.get_collection_queryables

_KEPT = 8  # API objects: one for each public URL under which the server is known
_ABSENT_RELS = ("/processes", "/tiling-schemes", "/job-list")  # those of jobs are our own
_OWN_CONFORMANCE = (
    *(
        f"http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/{name}"
        for name in ("subsetting", "fieldselection", "scaling", "geotiff", "netcdf", "coveragejson")
    ),
    *(
        f"http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/{name}"
        for name in ("core", "collection-map", "scaling", "datetime", "png", "jpeg")
    ),
)
_OF_JOBS = tuple(
    f"http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/{name}"
    for name in ("core", "ogc-process-description", "json", "oas30", "dismiss")
)
_OF_LISTS = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list"


class _Asked:
    """A request as pygeoapi's APIRequest reads it: format and path, nothing foreign."""

    def __init__(self, path: str, f: str) -> None:
        self.path_info = path
        self.args = {"f": f}
        self.headers: dict[str, str] = {}


class Documents:
    """The API objects of one context, by catalog version and public URL."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[str, str], documents.API] = OrderedDict()

    def api(self, base_url: str) -> Any:
        """Pygeoapi's API object of the catalog as it is now."""
        key = (self._context.catalog.version, base_url)
        with self._lock:
            if key not in self._made:
                self._made[key] = _make(self._context, base_url)
                while len(self._made) > _KEPT:
                    self._made.popitem(last=False)
            return self._made[key]

    def document(
        self, kind: Document, base_url: str, path: str, f: str, *names: str
    ) -> tuple[int, str, bytes]:
        """Status, media type and body of one document."""
        api = self.api(base_url)
        asked = documents.APIRequest(_Asked(path, f), api.locales)
        headers, status, body = kind(api, asked, *names)
        content = body.encode() if isinstance(body, str) else body
        media_type = headers["Content-Type"]
        if int(status) == 200 and f != HTML:
            content = content.replace(b"&lt;", b"<").replace(b"&gt;", b">")  # JSON needs none
            content = _mended(kind, content, api.config["resources"], self._of_jobs(base_url))
        return int(status), _with_charset(media_type), content

    def _of_jobs(self, base_url: str) -> "_OfJobs":
        jobs, relation = self._context.settings.jobs, "http://www.opengis.net/def/rel/ogc/1.0"
        if not jobs.running:
            return _OfJobs((), ())
        classes, told = _OF_JOBS, {"processes": "Processes, begun as jobs"}
        if jobs.listed:
            classes, told = (*classes, _OF_LISTS), {**told, "jobs": "Jobs"}
        rels = {"processes": f"{relation}/processes", "jobs": f"{relation}/job-list"}
        links = tuple(
            {
                "rel": rels[name],
                "type": "application/json",
                "title": title,
                "href": f"{base_url}/{name}",
            }
            for name, title in told.items()
        )
        return _OfJobs(classes, links)


@dataclass(frozen=True, slots=True)
class _OfJobs:
    """What the documents tell of jobs.

    Parameters
    ----------
    classes : of conformance
    links : of the landing page
    """

    classes: tuple[str, ...]
    links: tuple[dict[str, str], ...]


def _make(context: Context, base_url: str) -> Any:
    config = pygeoapi_config(context, base_url)
    with _root_logger_untouched():
        return documents.API(config, completed(get_oas_30(config), context))


@contextmanager
def _root_logger_untouched() -> Any:
    """Pygeoapi calls logging.basicConfig, which does nothing where a handler is."""
    handler = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _with_charset(media_type: str) -> str:
    text = media_type == "text/html"
    return f"{media_type}; charset=utf-8" if text else media_type


def _mended(kind: Document, content: bytes, resources: dict[str, Any], of_jobs: _OfJobs) -> bytes:
    """The JSON document without links to what is not served, and with our own classes."""
    document = json.loads(content)
    if kind is CONFORMANCE:
        document["conformsTo"] = sorted(
            {*document["conformsTo"], *_OWN_CONFORMANCE, *of_jobs.classes}
        )
    elif kind is LANDING or kind is COLLECTIONS:
        for part in (document, *document.get("collections", ())):
            if (resource := resources.get(part.get("id", ""))) is not None:
                provider = resource["providers"][0]
                part.update(dataType="coverage", **provider["cube_crs"])
                part["data_queries"] = provider["cube_queries"]
            if "links" in part:
                part["links"] = [link for link in part["links"] if _is_served(link)]
        if kind is LANDING and "links" in document:
            document["links"] += of_jobs.links
    else:
        return content
    return json.dumps(document, ensure_ascii=False).encode()


def _is_served(link: dict[str, str]) -> bool:
    if link["rel"].endswith(_ABSENT_RELS):
        return False
    ours = {"covjson", "geotiff", "netcdf"}
    return link["rel"] != COVERAGE_REL or link["href"].rpartition("f=")[2] in ours
