"""Which representation a client gets: ``f=`` before ``Accept``."""

from collections.abc import Sequence

from datacube.errors import InvalidFormat
from datacube.formats.registry import Encoder, encoders
from datacube.formats.sampled import WRITERS
from services.ows.transport import Request

JSON, HTML, JSON_LD = "json", "html", "jsonld"
DOCUMENTS = {
    "application/json": JSON,
    "text/html": HTML,
    "application/ld+json": JSON_LD,
    "application/xhtml+xml": HTML,
    "application/schema+json": JSON,
    "application/vnd.oai.openapi+json": JSON,
}
COVERAGE_JSON = "application/prs.coverage+json"
_JSON = frozenset({"json", "application/json"})  # which of a coverage is CoverageJSON


class NotAcceptable(InvalidFormat):
    """Nothing that ``Accept`` names can be made of this resource (HTTP 406)."""


def accepted(header: str) -> tuple[str, ...]:
    """Media types of an Accept header without parameters, most wanted first.

    Examples
    --------
    >>> accepted("text/html;q=0.5, image/tiff;application=geotiff, */*;q=0.1")
    ('image/tiff', 'text/html', '*/*')
    """
    ranked: list[tuple[float, str]] = []
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = _quality(parameters)
        if "/" in name and quality > 0:
            ranked.append((quality, name))
    return tuple(name for _, name in sorted(ranked, key=lambda one: -one[0]))


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def check_json(accept: str) -> None:
    """Refuse to answer in JSON, where nothing else is offered, what ``Accept`` wants otherwise.

    Raises
    ------
    NotAcceptable
    """
    names = accepted(accept)
    if names and not {"application/json", "application/*", "*/*"}.intersection(names):
        raise NotAcceptable(
            f"none of {', '.join(names)[:200]} is offered; there is application/json",
            subject="Accept",
        )


def document_format(f: str | None, accept: str) -> str:
    """``json``, ``html`` or ``jsonld``.

    Raises
    ------
    InvalidFormat
        ``f`` names another.
    NotAcceptable
        ``Accept`` allows none of them.
    """
    if f is not None:
        if f.lower() in {JSON, HTML, JSON_LD}:
            return f.lower()
        raise InvalidFormat(f"f is '{f[:60]}'; there are json, html and jsonld", subject="f")
    names = accepted(accept)
    for name in names:
        if name in DOCUMENTS:
            return DOCUMENTS[name]
        if name in {"*/*", "application/*"}:
            return JSON
        if name == "text/*":
            return HTML
    if names:
        raise NotAcceptable(
            f"none of {', '.join(names)[:200]} is offered; there are application/json, "
            "text/html and application/ld+json",
            subject="Accept",
        )
    return JSON


def coverage_encoder(f: str | None, accept: str) -> Encoder:
    """The encoder of a coverage; CoverageJSON where the client leaves it open.

    Raises
    ------
    InvalidFormat
        ``f`` names what cannot be written.
    NotAcceptable
        ``Accept`` allows nothing that can be written.
    """
    registry = encoders()
    if f is not None:
        return registry.find(COVERAGE_JSON if f.strip().lower() in _JSON else f)
    names = [COVERAGE_JSON if name in _JSON else name for name in accepted(accept)]
    for name in names:
        found = next((one for one in registry.entries if _is_meant(name, one)), None)
        if found is not None:
            return found
        if name in {"*/*", "application/*"}:
            return registry.find(COVERAGE_JSON)
        if name == "image/*":
            return registry.find("image/tiff")
    if names and "text/html" not in names:
        raise NotAcceptable(
            f"none of {', '.join(names)[:200]} is offered; offered are "
            f"{', '.join(registry.media_types)}",
            subject="Accept",
        )
    return registry.find(COVERAGE_JSON)


def sampled_media(f: str | None, request: Request) -> str:
    """Name of the format of values at places: CoverageJSON where the client leaves it open.

    Raises
    ------
    NotAcceptable
        ``Accept`` allows nothing that can be written.
    """
    if f is not None:
        return f
    names = accepted(request.header("accept"))
    for name in names:
        if any(name in {one.media_type, *one.names} for one in WRITERS):
            return name
        if name in {"*/*", "application/*", "text/html"}:
            return COVERAGE_JSON
    if names:
        raise NotAcceptable(
            f"none of {', '.join(names)[:200]} is offered; offered are "
            f"{', '.join(one.media_type for one in WRITERS)}",
            subject="Accept",
        )
    return COVERAGE_JSON


def _is_meant(name: str, encoder: Encoder) -> bool:
    return name == encoder.media_type or name in encoder.aliases
