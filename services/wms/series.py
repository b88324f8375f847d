"""GetFeatureInfo with ``SERIES=true``: a value for each time in place of the one under the picture.

``TIME`` is the range that is meant, every time without it; with ``AGG`` and ``PERIOD`` there is one
value for each period. The answer has the form of GetFeatureInfo, a feature for each time.
"""

from collections.abc import Iterator
from dataclasses import replace

from datacube.engine.binned import by_period
from datacube.engine.context import Context
from datacube.engine.cube import Layer
from datacube.engine.line import get_line
from datacube.engine.sample import Sample, get_samples
from datacube.errors import InvalidParameter
from datacube.model.axis import TimeAxis
from datacube.model.geometry import Path
from datacube.model.query import LineQuery, SampleQuery
from datacube.model.sampled import Sampled
from services.ows.aggregate import MAP_REDUCTION
from services.ows.caching import cache_control, etag, matches, not_modified, warnings
from services.ows.featureinfo import encode_all
from services.ows.kvp import Kvp
from services.ows.transport import Request, Response
from services.wms.decode import decode_info
from services.wms.lines import KINDS, line_aggregate, line_subsets
from services.wms.version import Version

_KIND = KINDS["GetTimeseries"]
_ONE = MAP_REDUCTION | {"time"}


def get_series(
    context: Context, request: Request, kvp: Kvp, version: Version, media_type: str
) -> Response:
    """The values of all layers that are asked, time by time.

    Raises
    ------
    InvalidParameter
        ``EXPR`` and ``MASK`` are of pictures, not of a series.
    """
    for name in ("EXPR", "MASK"):
        if name in kvp:
            raise InvalidParameter(f"a series is of fields: it takes no {name}", subject=name)
    query = decode_info(context, kvp.but(*_ONE), version).query
    layers = [context.catalog.layer(one.layer) for one in query.layers]
    form = query, kvp.beside({"i", "j", "x", "y"}), media_type
    tag = etag([part for one in layers for part in (one.cube.snapshot, one.cube.fingerprint)], form)
    control = cache_control(moving=True)
    if matches(request, tag):
        return not_modified(tag, control)
    now = get_samples(context, query)
    notes = [note for note in now.notes if "time=" not in note]
    found: list[Sample] = []
    for layer in layers:
        here = [one for one in now.samples if one.layer == layer.name]
        if layer.cube.description.domain.time is None:
            found += here
            continue
        sampled = _sampled(context, kvp, layer, query)
        notes += sampled.notes
        found += (sample for one in here for sample in _each(one, sampled))
    body = encode_all(found, media_type)
    return Response(200, media_type, body, (("ETag", tag), control, *warnings(notes)))


def _sampled(context: Context, kvp: Kvp, layer: Layer, query: SampleQuery) -> Sampled:
    """Values of a layer's fields at each time."""
    path = Path(((query.x, query.y),), query.crs)
    subsets, _ = line_subsets(kvp, layer.cube, _KIND)
    sampled = get_line(context, LineQuery(layer.cube.id, path, subsets, layer.fields))
    aggregate = line_aggregate(kvp)
    if aggregate is None:
        return sampled
    return by_period(context.settings.limits, layer.cube, sampled, aggregate)


def _each(one: Sample, sampled: Sampled) -> Iterator[Sample]:
    """The sample of a field as it is at each time."""
    field = next(field for field in sampled.fields if field.name == one.field.name)
    (axis,) = sampled.axes
    if not isinstance(axis, TimeAxis):
        raise TypeError(axis.name)
    stored, valid = sampled.data[field.name].ravel(), sampled.valid[field.name].ravel()
    values = sampled.physical(field).ravel().tolist()
    labels = {category.value: category.label for category in field.categories}
    for time, raw, value, known in zip(axis.iso, stored.tolist(), values, valid, strict=True):
        yield replace(
            one,
            field=field,
            value=value if known else None,
            raw=raw if known else None,
            label=labels.get(raw) if known else None,
            time=time,
        )
