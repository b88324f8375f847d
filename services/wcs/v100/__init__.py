"""WCS 1.0.0 (03-065r6): requests and documents."""

from services.wcs.v100 import handlers, names
from services.wcs.version import Version

VERSION = Version(
    names.VERSION,
    {
        "GetCapabilities": handlers.answer_capabilities,
        "DescribeCoverage": handlers.answer_description,
        "GetCoverage": handlers.answer_coverage,
    },
    handlers.report,
)
