"""WCS 1.1.0, 1.1.1 and 1.1.2 (06-083r8, 07-067r2, 07-067r5): requests and documents."""

from datacube.errors import DatacubeError
from services.ows.reports import ows11_report
from services.ows.transport import Response
from services.wcs.v110.handlers import operations
from services.wcs.v110.names import V110, V111, V112
from services.wcs.version import Version


def _report(error: DatacubeError, _strict: bool) -> Response:
    return ows11_report(error)


VERSIONS = tuple(Version(one.number, operations(one), _report) for one in (V110, V111, V112))
