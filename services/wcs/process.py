"""GetCoverage as a job: the request itself is what it takes."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from datacube.engine.context import Context
from datacube.errors import InvalidParameter, MissingParameter
from services.ows.jobs import Inputs, Process
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.ows.urls import with_query
from services.wcs.operations import GET_COVERAGE, answer
from services.wcs.request import request_name

_INPUT = "request"
_MOST_FIELDS = 1000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def inputs_of(kvp: Kvp) -> dict[str, str]:
    """The inputs that say the same as a request, in whatever binding it came."""
    return {_INPUT: with_query("?", kvp.pairs)[1:]}


def _described(_context: Context) -> dict[str, Any]:
    example = (
        "service=WCS&version=2.0.1&request=GetCoverage&coverageid=ID&format=application/netcdf"
    )
    return {
        _INPUT: {
            "title": "The GetCoverage request",
            "description": "By key and value, of any version of WCS: a URL of it, or what stands "
            "behind its question mark.",
            "minOccurs": 1,
            "maxOccurs": 1,
            "schema": {"type": "string", "example": example},
        }
    }


def _answer(context: Context, inputs: Inputs, request: Request) -> Response:
    """The answer to the request; raises what it would be refused with."""
    others = sorted(set(inputs) - {_INPUT})
    if others:
        raise InvalidParameter(f"no input '{others[0][:60]}'; there is {_INPUT}", subject=_INPUT)
    text = inputs.get(_INPUT)
    if not isinstance(text, str) or not text.strip():
        raise MissingParameter("the input request is a GetCoverage request", subject=_INPUT)
    place, mark, query = text.strip().partition("?")
    if not mark or "=" in place:  # it is no URL
        query = text.strip()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidParameter(f"the request cannot be read: {error}", subject=_INPUT) from error
    if any(_CONTROL.search(word) for pair in pairs for word in pair):
        raise InvalidParameter("the request holds control characters", subject=_INPUT)
    kvp = Kvp(pairs)
    if request_name(kvp).lower() != GET_COVERAGE:
        raise InvalidParameter("the request is no GetCoverage", subject=_INPUT)
    return answer(context, replace(request, path="/wcs", query=tuple(pairs)), kvp)


PROCESS = Process(
    GET_COVERAGE,
    "A coverage of WCS as a file",
    "Makes the answer to a GetCoverage request of any version, within the limits of jobs.",
    _described,
    _answer,
)
