"""Coverages in GMLCOV 1.0: the description of a cube, and of an answer beside its file."""

from datacube.formats.registry import Encoder, encoders
from datacube.model.coverage import CoverageDescription
from services.ows.frames import TimeEncoding, frame
from services.ows.gml import bounded_by, coverage_subtype, domain_set
from services.ows.swe import GMLCOV, range_type
from services.ows.xml import Element, serialise
from services.wcs.v201.names import GML_MAKER, GMLCOV_MAKER, SCHEMA, WCS, WCS20, with_id


def coverage_descriptions(
    descriptions: tuple[CoverageDescription, ...], encoding: TimeEncoding
) -> bytes:
    """The answer of DescribeCoverage (09-110r4, 8.3)."""
    return serialise(
        WCS(
            "CoverageDescriptions",
            *(coverage_description(one, encoding) for one in descriptions),
            xsi_schemaLocation=f"{WCS20} {SCHEMA}/wcsAll.xsd",
        )
    )


def coverage_description(description: CoverageDescription, encoding: TimeEncoding) -> Element:
    """``wcs:CoverageDescription`` of a cube."""
    axes = frame(description.domain, encoding)
    native = encoders().native(description.domain)
    element = WCS(
        "CoverageDescription",
        GML_MAKER("description", description.abstract) if description.abstract else None,
        GML_MAKER("name", description.title) if description.title else None,
        bounded_by(axes),
        WCS("CoverageId", description.id),
        domain_set(axes, description.id),
        range_type(description.range_type),
        WCS(
            "ServiceParameters",
            WCS("CoverageSubtype", coverage_subtype(description.domain)),
            WCS("nativeFormat", native.media_type),
        ),
    )
    return with_id(element, description.id)


def coverage_beside_file(
    description: CoverageDescription, encoder: Encoder, reference: str, encoding: TimeEncoding
) -> bytes:
    """A GML coverage whose values lie in another part of the message (09-146r2, 9.3).

    Parameters
    ----------
    description : of exactly the answer
    reference : str, ``cid:`` URL of the file
    """
    axes = frame(description.domain, encoding)
    file = GML_MAKER(
        "File",
        GML_MAKER("rangeParameters"),
        GML_MAKER("fileReference", reference),
        GML_MAKER("fileStructure"),
        GML_MAKER("mimeType", encoder.media_type),
    )
    coverage = GMLCOV_MAKER(
        coverage_subtype(description.domain),
        bounded_by(axes),
        domain_set(axes, description.id),
        GML_MAKER("rangeSet", file),
        range_type(description.range_type),
        xsi_schemaLocation=f"{GMLCOV} http://schemas.opengis.net/gmlcov/1.0/gmlcovAll.xsd",
    )
    return serialise(with_id(coverage, description.id))
