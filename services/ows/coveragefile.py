"""A coverage as the file that is sent: whole where it is small, else while it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.engine.coverage import check_aggregate, get_coverage, plan_coverage
from datacube.engine.coverage_plan import CoveragePlan
from datacube.engine.coverage_stream import is_large, stream_coverage
from datacube.engine.limits import check_coverage, check_spool, check_stream
from datacube.formats.pieces import Piece, Streamed, at_once, resumed, together
from datacube.formats.registry import Content, Encoder, Options, encoders
from datacube.formats.spool import free_for_spool
from datacube.formats.values import STATED, Stated, stated, stated_fields, stated_stream
from datacube.model.coverage import CoverageDescription
from datacube.model.fields import Field
from datacube.model.query import CoverageQuery
from datacube.model.stream import CoverageStream
from services.ows.transport import AT_ONCE, Request, TakesLonger

ARRANGED = ("compression", "predictor", "interleave", "tile")
"""Options that say how values lie in a file; a file that is streamed has none of them."""


@dataclass(frozen=True, eq=False)
class CoverageFile:
    """What is sent of a coverage.

    Parameters
    ----------
    description : CoverageDescription
        Of exactly the values in the file.
    notes : tuple of str
    content : bytes or pieces of bytes
    length : int or None
        Size of the pieces, where it is known.
    """

    description: CoverageDescription
    notes: tuple[str, ...]
    content: bytes | Iterator[Piece]
    length: int | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """``Content-Length`` of pieces whose size is known."""
        return content_length(self.length)


def content_length(length: int | None) -> tuple[tuple[str, str], ...]:
    """The header, none where the length is not known."""
    return () if length is None else (("Content-Length", str(length)),)


def coverage_file(
    context: Context, request: Request, query: CoverageQuery, encoder: Encoder, options: Options
) -> CoverageFile:
    """Read and encode a part of a coverage, or begin to.

    The first values of a file in pieces are read before this returns, so that what is wrong from
    the start is raised, and all of one that is not large; a failure further on breaks off the
    pieces.

    Parameters
    ----------
    context : Context
    request : Request
        Of one for the headers nothing but the size will be used: what tells it without values
        reads none.
    query : CoverageQuery
    encoder : Encoder
    options : as of the encoder
        ``values`` beside these: ``raw`` or ``physical`` where the format's own are not wanted.

    Raises
    ------
    DatacubeError
        The query cannot be meant, costs too much, does not fit the format, or cannot be read.
    TakesLonger
        It could be made, but is only weighed, or takes more than a moment and was to be brief.
    """
    plan, limits = plan_coverage(context, query), context.settings.limits
    how, fields = _how(options), made_fields(plan.description, options)
    large = is_large(limits, plan, fields)
    wanted = large or (request.head and encoder.same)
    arranged = not encoder.same and any(options.get(name, "none") != "none" for name in ARRANGED)
    if encoder.stream is not None and wanted and not arranged:
        check_stream(limits, plan.stream_size(fields))
        coverage = _stated_stream(stream_coverage(context, query), how)
        made = encoder.stream(coverage, options)
        _stop(request, plan, fields)
        pieces = made.pieces if request.head else begun(made.pieces, made.length)
        return CoverageFile(coverage.description, coverage.notes, pieces, made.length)
    others = encoders().streaming(plan.description.domain)
    if arranged:
        others = tuple(one for one in others if one != encoder.media_type)
    if encoder.spool is not None and large:
        check_spool(limits, plan.stream_size(fields), encoder.room, free_for_spool(), others)
        coverage = _stated_stream(stream_coverage(context, query), how)
        _stop(request, plan, fields)
        return _whole(coverage.description, coverage.notes, encoder.spool(coverage, options))
    check_coverage(limits, plan.size(fields), others)
    check_aggregate(limits, plan)
    _stop(request, plan, fields, moment=plan.brief and encoder.stream is not None)
    if plan.plain and how is None and (file := _forward(context, request, query, encoder, options)):
        return file
    found = get_coverage(context, query)
    found = found if how is None else stated(found, how)
    return _whole(found.description, found.notes, encoder.encode(found, options))


def _forward(
    context: Context, request: Request, query: CoverageQuery, encoder: Encoder, options: Options
) -> CoverageFile | None:
    """The file made in one go, its values read to where they lie in it; None where it is not so."""
    if encoder.forward is None:
        return None
    coverage = stream_coverage(context, query)
    made = encoder.forward(coverage, options)
    if made is None:
        return None
    pieces = made.pieces if request.head else iter(tuple(made.pieces))
    whole = together(Streamed(pieces, made.length))
    return _whole(coverage.description, coverage.notes, whole)


def _stop(
    request: Request, plan: CoveragePlan, fields: Sequence[Field], *, moment: bool = False
) -> None:
    """End here where the file is not to be made.

    Parameters
    ----------
    moment : bool, whether it is made in one
    """
    if request.weighed or (request.brief and not moment):
        raise TakesLonger(plan.count, plan.stream_size(fields).nbytes)


def made_fields(description: CoverageDescription, options: Options) -> tuple[Field, ...]:
    """What the values are made where the options state it; nothing where they do not."""
    how = _how(options)
    return () if how is None else stated_fields(description, how)


def _how(options: Options) -> Stated | None:
    return next((one for one in STATED if one == options.get("values")), None)


def _stated_stream(coverage: CoverageStream, how: Stated | None) -> CoverageStream:
    return coverage if how is None else stated_stream(coverage, how)


def _whole(
    description: CoverageDescription, notes: tuple[str, ...], content: Content
) -> CoverageFile:
    match content:
        case bytes():
            return CoverageFile(description, notes, content)
        case Streamed(length=int() as length):
            return CoverageFile(description, notes, content.pieces, length)
        case _:
            return CoverageFile(description, notes, at_once(iter(content)))


def begun(pieces: Iterator[Piece], length: int | None = None) -> Iterator[Piece]:
    """The same pieces, the first of them made already; what that raises is raised here.

    Parameters
    ----------
    length : int, optional
        Bytes of all of them: those of a body that is made at once are all made here.
    """
    if length is not None and length <= AT_ONCE:
        return iter(tuple(pieces))
    return resumed((next(pieces, b""),), pieces)
