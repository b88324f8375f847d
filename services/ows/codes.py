"""From a domain error to each protocol's exception code, locator and HTTP status.

A table names some classes of :mod:`datacube.errors`; an error takes the entry of its own class or
else of its nearest ancestor (:func:`code_of`). A new protocol is a new table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from datacube import errors
from datacube.errors import DatacubeError
from services.ows import errors as ows


@dataclass(frozen=True, slots=True)
class Code:
    """How a protocol reports an error.

    Parameters
    ----------
    code : str
        Exception code; empty where the protocol has none for it.
    status : int
        HTTP status; of a WMS only where the status is kept (413, 503) or in strict mode.
    locator : str, optional
        Fixed locator; the error's subject where None.
    located : bool
        False where the report carries no locator at all.
    uri : str
        Type of the problem details.
    """

    code: str
    status: int = 400
    locator: str | None = None
    located: bool = True
    uri: str = "about:blank"

    def locator_of(self, error: DatacubeError) -> str | None:
        """Locator in the report."""
        if not self.located:
            return None
        return self.locator if self.locator is not None else error.subject


type Table = Mapping[type[DatacubeError], Code]

_COMMON: dict[type[DatacubeError], Code] = {
    errors.LimitExceededError: Code("", 413),
    errors.StorageError: Code("", 503),
    errors.ConflictError: Code("", 409),
    DatacubeError: Code("", 500),
}
_COMMON_OWS: dict[type[DatacubeError], Code] = {
    errors.MissingParameter: Code("MissingParameterValue"),
    errors.NotFoundError: Code("InvalidParameterValue"),
    errors.InvalidRequestError: Code("InvalidParameterValue"),
    errors.VersionNotSupported: Code("VersionNegotiationFailed", located=False),
    ows.InvalidUpdateSequence: Code("InvalidUpdateSequence", located=False),
    errors.NotSupportedError: Code("OperationNotSupported", 501),
    errors.LimitExceededError: Code("NoApplicableCode", 413),
    errors.StorageError: Code("NoApplicableCode", 503),
    errors.ConflictError: Code("NoApplicableCode", 409),
    DatacubeError: Code("NoApplicableCode", 500),
}

WMS130: Table = {
    **_COMMON,
    errors.InvalidRequestError: Code(""),
    errors.NotFoundError: Code("", 404),
    errors.CoverageNotFound: Code("LayerNotDefined", 404),
    errors.FieldNotFound: Code("LayerNotDefined", 404),
    errors.StyleNotFound: Code("StyleNotDefined", 404),
    errors.InvalidCrs: Code("InvalidCRS"),
    errors.InvalidFormat: Code("InvalidFormat"),
    errors.InvalidPixel: Code("InvalidPoint"),
    errors.InvalidTime: Code("InvalidDimensionValue"),
    errors.AxisNotFound: Code("InvalidDimensionValue"),
    errors.MissingTime: Code("MissingDimensionValue"),
    errors.NotSupportedError: Code("OperationNotSupported", 501),
    ows.LayerNotQueryable: Code("LayerNotQueryable"),
    ows.CurrentUpdateSequence: Code("CurrentUpdateSequence"),
    ows.InvalidUpdateSequence: Code("InvalidUpdateSequence"),
}
"""WMS 1.3.0, table E.1."""

WMS111: Table = {
    **WMS130,
    errors.InvalidCrs: Code("InvalidSRS"),
    errors.InvalidPixel: Code(""),
    errors.NotSupportedError: Code("", 501),
}
"""WMS 1.1.1, annex A.3."""

WCS100: Table = {
    **_COMMON,
    errors.MissingParameter: Code("MissingParameterValue"),
    errors.InvalidRequestError: Code("InvalidParameterValue"),
    errors.NotFoundError: Code("InvalidParameterValue"),
    errors.CoverageNotFound: Code("CoverageNotDefined", 404),
    errors.InvalidFormat: Code("InvalidFormat"),
    errors.NotSupportedError: Code("", 501),
    ows.CurrentUpdateSequence: Code("CurrentUpdateSequence"),
    ows.InvalidUpdateSequence: Code("InvalidUpdateSequence"),
}
"""WCS 1.0.0, table 9."""

WCS11: Table = {
    **_COMMON_OWS,
    errors.CoverageNotFound: Code("InvalidParameterValue", locator="Identifier"),
    errors.InvalidFormat: Code("InvalidParameterValue", locator="format"),
}
"""WCS 1.1 (OWS Common 1.1)."""

WCS201: Table = {
    **_COMMON_OWS,
    errors.CoverageNotFound: Code("NoSuchCoverage", 404),
    errors.SnapshotNotFound: Code("NoSuchCoverage", 404),
    errors.FieldNotFound: Code("NoSuchField", 404),
    errors.AxisNotFound: Code("InvalidAxisLabel", 404),
    errors.InvalidSubset: Code("InvalidSubsetting", 404),
    errors.InvalidTime: Code("InvalidSubsetting", 404),
    errors.MissingTime: Code("InvalidSubsetting", 404),
    errors.InvalidCrs: Code("SubsettingCrs-NotSupported", 404),
    errors.InvalidFormat: Code("InvalidParameterValue", locator="format"),
    errors.InvalidScaling: Code("InvalidScaleFactor", 404),
    errors.InvalidInterpolation: Code("InterpolationMethodNotSupported", 404),
}
"""WCS 2.0.1 core (09-110r4, 8.4) and its extensions."""

WMTS100: Table = {
    **_COMMON_OWS,
    errors.CoverageNotFound: Code("InvalidParameterValue", locator="layer"),
    errors.FieldNotFound: Code("InvalidParameterValue", locator="layer"),
    errors.StyleNotFound: Code("InvalidParameterValue", locator="Style"),
    errors.TileMatrixSetNotFound: Code("InvalidParameterValue"),
    errors.InvalidFormat: Code("InvalidParameterValue"),
    errors.TileOutOfRange: Code("TileOutOfRange"),
    errors.InvalidPixel: Code("PointIJOutOfRange"),
    errors.OperationNotSupported: Code("OperationNotSupported", 501),
}
"""WMTS 1.0.0 (07-057r7, tables 21, 26 and 30): every error is a 400 but the missing operation."""

_PROCESSES = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"

OGCAPI: Table = {
    errors.InvalidRequestError: Code("InvalidParameterValue", 400),
    errors.FieldNotFound: Code("InvalidParameterValue", 400),
    errors.AxisNotFound: Code("InvalidParameterValue", 400),
    errors.TileOutOfRange: Code("NotFound", 404),
    errors.NotFoundError: Code("NotFound", 404),
    errors.ProcessNotFound: Code("NoSuchProcess", 404, uri=f"{_PROCESSES}/no-such-process"),
    errors.JobNotFound: Code("NoSuchJob", 404, uri=f"{_PROCESSES}/no-such-job"),
    errors.ResultNotReady: Code("ResultNotReady", 404, uri=f"{_PROCESSES}/result-not-ready"),
    errors.NotSupportedError: Code("NotSupported", 501),
    errors.LimitExceededError: Code("TooLarge", 413),
    errors.TooManyJobs: Code("TooManyJobs", 503),
    ows.JobsNotListed: Code("Forbidden", 403),
    errors.ConflictError: Code("Conflict", 409),
    errors.StorageError: Code("Unavailable", 503),
    DatacubeError: Code("ServerError", 500),
}
"""OGC API Common: statuses of problem details; types of those of Processes (18-062r2, 7.11)."""

TABLES: Mapping[str, Table] = {
    "WMS 1.3.0": WMS130,
    "WMS 1.1.1": WMS111,
    "WCS 1.0.0": WCS100,
    "WCS 1.1": WCS11,
    "WCS 2.0.1": WCS201,
    "WMTS 1.0.0": WMTS100,
    "OGC API": OGCAPI,
}


def code_of(error: DatacubeError, table: Table) -> Code:
    """Entry of the error's class, or of its nearest ancestor.

    Examples
    --------
    >>> code_of(errors.SubsetOutOfDomain("lat 99 is outside -90 to 90"), WCS201).code
    'InvalidSubsetting'
    """
    return next(table[kind] for kind in type(error).__mro__ if kind in table)
