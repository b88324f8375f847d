"""WCS 1.0.0 (03-065r6): requests and documents."""

from services.wcs.v100 import handlers, names
from services.wcs.version import Version

VERSION = Version(
    names.VERSION,
    {
        "getcapabilities": handlers.answer_capabilities,
        "describecoverage": handlers.answer_description,
        "getcoverage": handlers.answer_coverage,
    },
    handlers.report,
)
