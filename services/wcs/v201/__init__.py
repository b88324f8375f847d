"""WCS 2.0.1 (09-110r4): decoding of requests, documents, and its own refusals."""

from datacube.errors import DatacubeError
from services.ows.reports import ows20_report
from services.ows.transport import Response
from services.wcs.errors import CODES
from services.wcs.v201 import handlers, names
from services.wcs.version import Version


def _report(error: DatacubeError, _strict: bool) -> Response:
    return ows20_report(error, table=CODES)


VERSION = Version(
    names.VERSION,
    {
        "GetCapabilities": handlers.answer_capabilities,
        "DescribeCoverage": handlers.answer_description,
        "GetCoverage": handlers.answer_coverage,
        "DescribeEOCoverageSet": handlers.answer_coverage_set,
    },
    _report,
)
