"""Refusals of WCS 2.0.1 and its extensions that the core does not tell apart, and their codes."""

from datacube import errors
from services.ows.codes import WCS201, Code, Table


class IllegalFieldSequence(errors.FieldNotFound):
    """An interval of fields whose end stands before its start (12-040, table 5)."""


class ScaleAxisUndefined(errors.AxisNotFound):
    """Scaling along an axis that the coverage does not have (12-039, table 9)."""


class InvalidExtent(errors.InvalidScaling):
    """A target extent whose low is above its high, or a size that is none (12-039, table 9)."""


class OutputCrsNotSupported(errors.InvalidCrs):
    """A CRS in which the answer cannot be given (11-053r1, table 5)."""


class CompressionNotSupported(errors.InvalidParameter):
    """A compression that no file has here (12-100r1, table 5)."""


class PredictorNotSupported(errors.InvalidParameter):
    """A predictor that there is not, or one without a compression (12-100r1, table 5)."""


class InterleavingNotSupported(errors.InvalidParameter):
    """An order of bands that there is not (12-100r1, table 5)."""


class TilingInvalid(errors.InvalidParameter):
    """A tile whose sides are no multiples of 16 (12-100r1, table 5)."""


class NoSuchDatasetSeriesOrCoverage(errors.NotFoundError):
    """An id that is neither that of a dataset series nor that of a dataset (10-140r1, table 12)."""


CODES: Table = {
    **WCS201,
    IllegalFieldSequence: Code("IllegalFieldSequence", 404),
    ScaleAxisUndefined: Code("ScaleAxisUndefined", 404),
    InvalidExtent: Code("InvalidExtent", 404),
    OutputCrsNotSupported: Code("OutputCrs-NotSupported", 404),
    CompressionNotSupported: Code("CompressionNotSupported", 404),
    PredictorNotSupported: Code("PredictorNotSupported", 404),
    InterleavingNotSupported: Code("InterleavingNotSupported", 404),
    TilingInvalid: Code("TilingInvalid", 404),
    NoSuchDatasetSeriesOrCoverage: Code("NoSuchDatasetSeriesOrCoverage", 404, locator="eoId"),
}
"""Exception codes of WCS 2.0.1 with its extensions."""
