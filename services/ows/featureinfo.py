"""Values at a pixel as text: GetFeatureInfo of WMS and WMTS.

JSON is a GeoJSON FeatureCollection with a feature for each field of each layer; text, HTML, CSV
and GML hold the same properties.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import isfinite

from datacube.engine.sample import Sample
from datacube.errors import InvalidFormat
from services.ows.extents import plain_number
from services.ows.kvp import bare_type
from services.ows.xml import Element, Maker, serialise

type Properties = dict[str, str | float | int | None]

_OWN = "urn:datacube:values"
_GML_URI = "http://www.opengis.net/gml"
_VALUES = Maker(_OWN, {None: _OWN, "gml": _GML_URI})
_GML = Maker(_GML_URI, {None: _OWN, "gml": _GML_URI})
_GEOJSON = "application/geo+json"


def info_format(text: str) -> str:
    """Media type of an INFO_FORMAT parameter.

    Raises
    ------
    InvalidFormat
        It is not offered.

    Examples
    --------
    >>> info_format("Text/Plain; charset=utf-8")
    'text/plain'
    """
    wanted = bare_type(text)
    if wanted not in WRITERS:
        raise InvalidFormat(
            f"'{text[:100]}' is no format offered for values; offered: {', '.join(INFO_FORMATS)}"
        )
    return wanted


def encode_samples(samples: Sequence[Sample], media_type: str) -> bytes:
    """What the picture shows, as a document of one of :data:`INFO_FORMATS`."""
    return encode_all(most_recent(samples), media_type)


def encode_all(samples: Sequence[Sample], media_type: str) -> bytes:
    """Samples, perhaps of several times of a field, as a document."""
    return WRITERS[media_type](samples).encode("utf-8", "replace")


def most_recent(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """One sample for each field of each layer: the last with a value, as the picture shows it.

    Layers asked at several times have a sample for each; order is kept.
    """
    chosen: dict[tuple[str, str], Sample] = {}
    for sample in samples:
        key = sample.layer, sample.field.name
        if key not in chosen or sample.value is not None or chosen[key].value is None:
            chosen[key] = sample
    return tuple(chosen.values())


def properties(sample: Sample) -> Properties:
    """What a sample says, by name; value is None where there is none."""
    field = sample.field
    found: Properties = {
        "layer": sample.layer,
        "field": field.name,
        "title": field.title or field.standard_name or field.name,
        "value": sample.value if sample.value is None or isfinite(sample.value) else None,
        "unit": field.uom,
    }
    if field.categories:
        found["label"] = sample.label
    if sample.count is not None:
        found["count"] = sample.count
    if sample.time is not None:
        found["time"] = sample.time
    found |= sample.places
    if sample.lon is not None and sample.lat is not None:
        found |= {"longitude": sample.lon, "latitude": sample.lat}
    if sample.distance is not None:
        found["distance_m"] = round(sample.distance, 3)
    return found


def as_json(samples: Sequence[Sample]) -> str:
    """GeoJSON FeatureCollection; the geometry is the cell's centre in CRS84, null outside."""
    several = len({(sample.layer, sample.field.name) for sample in samples}) < len(samples)
    features = [
        {
            "type": "Feature",
            "id": f"{sample.layer}/{sample.field.name}" + (f"/{sample.time}" if several else ""),
            "geometry": (
                None
                if sample.lon is None or sample.lat is None
                else {"type": "Point", "coordinates": [sample.lon, sample.lat]}
            ),
            "properties": properties(sample),
        }
        for sample in samples
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def as_text(samples: Sequence[Sample]) -> str:
    """One ``name: value`` a line, a blank line between the fields."""
    blocks = (
        "\n".join(f"{name}: {_shown(value)}" for name, value in properties(sample).items())
        for sample in samples
    )
    return "\n\n".join(blocks) + "\n"


def as_html(samples: Sequence[Sample]) -> str:
    """A page with a table for each field."""
    tables = "\n".join(_table(properties(sample)) for sample in samples)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Values</title></head>'
        f"<body>\n{tables}\n</body></html>\n"
    )


def as_csv(samples: Sequence[Sample]) -> str:
    """A row for each field of each layer; a column for each thing that any of them says."""
    found = [properties(sample) for sample in samples]
    names = list(dict.fromkeys(name for one in found for name in one))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def as_gml(samples: Sequence[Sample]) -> str:
    """GML 2: a feature for each field of each layer, at the cell's centre, longitude first."""
    members = (_GML("featureMember", _gml_feature(sample)) for sample in samples)
    return serialise(_VALUES("FeatureCollection", *members)).decode()


def _gml_feature(sample: Sample) -> Element:
    place = None
    if sample.lon is not None and sample.lat is not None:
        words = f"{plain_number(sample.lon)},{plain_number(sample.lat)}"
        point = _GML("Point", _GML("coordinates", words), srsName="EPSG:4326")
        place = _GML("pointProperty", point)
    said = (
        _VALUES(re.sub(r"^(?=\d)|[^\w.-]", "_", name), value if value is None else _shown(value))
        for name, value in properties(sample).items()
    )
    return _VALUES("Value", place, *said)


def _table(found: Properties) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_shown(value))}</td></tr>"
        for name, value in found.items()
    )
    return f"<table>{rows}</table>"


def _shown(value: str | float | None) -> str:
    match value:
        case None:
            return "no data"
        case str():
            return value
        case _:
            return plain_number(value)


WRITERS: Mapping[str, Callable[[Sequence[Sample]], str]] = {
    "application/vnd.ogc.gml": as_gml,
    "application/json": as_json,
    _GEOJSON: as_json,
    "text/html": as_html,
    "text/plain": as_text,
    "text/csv": as_csv,
}
INFO_FORMATS = tuple(WRITERS)
"""Media types of values; GML first, since QGIS takes the last that it reads as features."""
