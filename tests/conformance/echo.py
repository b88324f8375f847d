"""The server with a process that gives back what it is given, which the suite of processes runs.

``python -m tests.conformance.echo serve`` takes what ``datacube serve`` takes.
"""

import time
from typing import Any

from datacube.engine.context import Context
from datacube.errors import InvalidParameter
from services.app import routes
from services.cli import main
from services.ows.jobs import Inputs, Process
from services.ows.transport import Request, Response, TakesLonger

_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "pause": {"type": "integer"},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "box": {
        "type": "object",
        "format": "ogc-bbox",
        "required": ["bbox"],
        "properties": {
            "bbox": {"type": "array", "items": {"type": "number"}},
            "crs": {"type": "string"},
        },
    },
    "mixed": {
        "oneOf": [{"type": "string", "contentMediaType": "application/xml"}, {"type": "object"}]
    },
}


def _described(_context: Context) -> dict[str, Any]:
    return {
        name: {
            "title": name.capitalize(),
            "schema": schema,
            "minOccurs": 0,
            "maxOccurs": 9 if name == "numbers" else 1,
        }
        for name, schema in _SCHEMAS.items()
    }


def _answer(_context: Context, inputs: Inputs, request: Request) -> Response:
    """The text, after as many seconds as ``pause`` says."""
    text, pause, mixed = (
        inputs.get(name, other) for name, other in (("text", ""), ("pause", 0), ("mixed", ""))
    )
    if not isinstance(text, str) or not isinstance(pause, int) or set(inputs) - set(_SCHEMAS):
        raise InvalidParameter("text is a text, pause a number", subject="text")
    if isinstance(mixed, dict) and "value" not in mixed:
        raise InvalidParameter("mixed is of no type that is described", subject="mixed")
    if request.weighed:
        raise TakesLonger(len(text), len(text))
    time.sleep(pause)
    return Response(200, "text/plain", text.encode())


if __name__ == "__main__":
    echo = Process("echo", "Echo", "Gives back a text.", _described, _answer)
    routes.PROCESSES = (echo, *routes.PROCESSES)
    main()
