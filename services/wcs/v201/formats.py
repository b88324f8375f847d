"""The formats of WCS 2.0.1: those of every door, and the GML coverage."""

from functools import partial

from datacube.formats import gml
from datacube.formats.pieces import Streamed
from datacube.formats.registry import Encoder, Options, Registry, encoders
from datacube.model.coverage import Coverage
from datacube.model.stream import CoverageStream, stream_of
from services.wcs.forms import PICTURES
from services.wcs.v201.gmlcov import Subject, coverage_around_values


def media_types() -> tuple[str, ...]:
    """What the capabilities list."""
    pictures = (one.media_type for one in PICTURES)
    return (*encoders().media_types, gml.MEDIA_TYPE, *pictures)


def formats_of(subject: Subject) -> Registry:
    """The encoders of a coverage; the one of GML knows of what it writes."""
    around = partial(coverage_around_values, subject)

    def stream(coverage: CoverageStream, _options: Options) -> Streamed:
        return gml.stream(coverage, around)

    def write(coverage: Coverage, options: Options) -> Streamed:
        return stream(stream_of(coverage), options)

    return encoders().register(
        Encoder(
            gml.MEDIA_TYPE,
            "gml",
            "GML coverage",
            write,
            ("gml", "gmlcov", "text/gml", "application/xml", "text/xml"),
            check=gml.check,
            stream=stream,
        )
    )
