"""``/collections/{id}/coverage``: a part of a cube as CoverageJSON, GeoTIFF or NetCDF."""

from dataclasses import replace

from datacube.engine.context import Context
from datacube.engine.coverage import coverage_state
from datacube.engine.cube import Cube
from datacube.formats.registry import Encoder
from datacube.model.axis import TimeAxis, axis_values
from datacube.model.domain import DomainSet
from datacube.model.query import (
    AxisSubset,
    CoverageQuery,
    Several,
    Slice,
    Subset,
    Trim,
)
from services.ogcapi.media import coverage_encoder
from services.ogcapi.parameters import COVERAGE_PARAMETERS, decode_coverage, known
from services.ows.aggregate import axes_made_one
from services.ows.caching import cache_control, etag, matches, not_modified, warnings, weak
from services.ows.compression import parse_compression
from services.ows.coveragefile import coverage_file
from services.ows.places import check_places
from services.ows.transport import Request, Response


def coverage(context: Context, request: Request, name: str) -> Response:
    """Part of a coverage.

    Raises
    ------
    DatacubeError
        The request cannot be meant, or costs too much.
    """
    cube = context.catalog.cube(name)
    parameters = known(request, COVERAGE_PARAMETERS)
    encoder = coverage_encoder(parameters.optional("f", str, None), request.header("accept"))
    asked = decode_coverage(cube.description, parameters)
    compression = parameters.optional("compression", parse_compression, "none")
    return send_coverage(context, request, cube, asked, encoder, compression)


def send_coverage(
    context: Context,
    request: Request,
    cube: Cube,
    asked: CoverageQuery,
    encoder: Encoder,
    compression: str = "none",
) -> Response:
    """The file of a query, with its cache headers and warnings."""
    domain = cube.description.domain
    query, notes = fitted(asked, domain, encoder)
    check_places(context, request, query.coverage, query.subsets)
    control = cache_control(moving=moves(query.subsets, domain))
    tag = weak(etag(coverage_state(context, query), query, encoder.media_type, compression))
    if matches(request, tag):
        return not_modified(tag, control)
    options = {"compression": compression}
    found = coverage_file(context, request, query, encoder, options)
    file_name = f'attachment; filename="{cube.id}.{encoder.extension}"'
    shown = "inline" if encoder.extension == "covjson" else file_name
    return Response(
        200,
        encoder.media_type,
        found.content,
        (
            *found.headers,
            control,
            ("ETag", tag),
            ("Vary", "Accept"),
            ("Content-Disposition", shown),
            ("Content-Crs", f"<{domain.grid.crs.uri}>"),
            *warnings((*notes, *found.notes)),
        ),
    )


def fitted(
    query: CoverageQuery, domain: DomainSet, encoder: Encoder
) -> tuple[CoverageQuery, tuple[str, ...]]:
    """The query, sliced further where the format holds fewer axes than are left.

    A format of flat pictures gets the newest time and the first place of any other axis that the
    request leaves open, each with a note.
    """
    if encoder.dims is None:
        return query, ()
    taken = [domain.axis(subset.axis) for subset in query.subsets]
    taken += axes_made_one(query.aggregate, domain)
    added: list[Subset] = []
    notes: list[str] = []
    for axis in domain.axes:
        if axis in taken or axis.size == 1:
            continue
        newest = isinstance(axis, TimeAxis)
        value = axis_values(axis)[-1 if newest else 0]
        point = value if isinstance(value, str) else float(value)
        added.append(Slice(axis.name, "latest" if newest else point))
        notes.append(f"Default value used: {axis.name}={point}")
    return replace(query, subsets=(*query.subsets, *added)), tuple(notes)


def moves(subsets: tuple[AxisSubset, ...], domain: DomainSet) -> bool:
    """Whether newer data would change the answer: no time is asked, the latest, or an open end."""
    if domain.time is None:
        return False
    for subset in subsets:
        if domain.axis(subset.axis) == domain.time:
            match subset:
                case Slice():
                    return subset.point == "latest"
                case Trim():
                    return subset.low is None or subset.high is None
                case Several():
                    return moves(subset.parts, domain)
    return True
