"""The domain's errors: one family, raised in the core, translated by each protocol.

::

    DatacubeError(message, *, subject=None)
    ├─ NotFoundError            CoverageNotFound  StyleNotFound  FieldNotFound  AxisNotFound
    │                           TileMatrixSetNotFound  SnapshotNotFound  ProcessNotFound
    │                           JobNotFound  ResultNotReady
    ├─ InvalidRequestError      MissingParameter  InvalidParameter  InvalidSubset
    │                           SubsetOutOfDomain  InvalidTime  MissingTime  InvalidCrs
    │                           InvalidFormat  InvalidScaling  InvalidInterpolation
    │                           InvalidPixel  TileOutOfRange  InvalidExpression
    ├─ NotSupportedError        OperationNotSupported  VersionNotSupported
    ├─ LimitExceededError       RequestTooLarge  TooManyJobs
    ├─ ConflictError            another writer was faster
    ├─ StorageError             transient (the object store) or a damaged chunk
    ├─ SourceError              an ingest source that cannot be read
    └─ ConfigError              carries all findings

``subject`` is what the user called the thing: the parameter, layer, axis or file. The message
is one sentence (or two) that a user can act on: what was given, and what would be valid.
"""


class DatacubeError(Exception):
    """Anything this package refuses to do, in words for the user.

    Parameters
    ----------
    message : str
        One or two sentences: what was given, and what would be valid.
    subject : str, optional
        The parameter, layer, axis or file in the user's own spelling.

    Examples
    --------
    >>> error = CoverageNotFound("no cube 'sst'; cubes are: air", subject="sst")
    >>> error.subject, str(error)
    ('sst', "no cube 'sst'; cubes are: air")
    """

    def __init__(self, message: str, *, subject: str | None = None) -> None:
        super().__init__(message)
        self.subject = subject

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return str(self.args[0])


class NotFoundError(DatacubeError):
    """A name that does not exist here."""


class CoverageNotFound(NotFoundError):
    """No such cube, coverage, layer or collection."""


class StyleNotFound(NotFoundError):
    """No such style on that layer."""


class FieldNotFound(NotFoundError):
    """No such field (band, range component) in that cube."""


class AxisNotFound(NotFoundError):
    """No such axis in that cube."""


class TileMatrixSetNotFound(NotFoundError):
    """No such tile matrix set, or no such matrix in it."""


class SnapshotNotFound(NotFoundError):
    """No such version of that cube."""


class ProcessNotFound(NotFoundError):
    """No such process."""


class JobNotFound(NotFoundError):
    """No such job: there never was one, or it was dismissed or has expired."""


class ResultNotReady(NotFoundError):
    """The file of a job that is not yet made."""


class InvalidRequestError(DatacubeError):
    """A request that cannot be meant."""


class MissingParameter(InvalidRequestError):
    """A mandatory parameter is absent or empty."""


class InvalidParameter(InvalidRequestError):
    """A parameter's value cannot be read."""


class InvalidSubset(InvalidRequestError):
    """A trim or slice that cannot be meant (low above high, wrong type)."""


class SubsetOutOfDomain(InvalidSubset):
    """A trim or slice wholly outside the axis."""


class InvalidTime(InvalidRequestError):
    """A time, or another dimension's value, that is none or is not there."""


class MissingTime(InvalidRequestError):
    """A dimension without a default needs a value."""


class InvalidCrs(InvalidRequestError):
    """A CRS that PROJ does not know, or that this cannot be drawn in."""


class InvalidFormat(InvalidRequestError):
    """A media type that is not offered."""


class InvalidScaling(InvalidRequestError):
    """A scale factor, size or extent that cannot be meant."""


class InvalidInterpolation(InvalidRequestError):
    """An interpolation method that is not offered."""


class InvalidPixel(InvalidRequestError):
    """A pixel (I, J) outside the map."""


class TileOutOfRange(InvalidRequestError):
    """A tile row or column outside the matrix; ``subject`` is ``TileRow`` or ``TileCol``."""


class InvalidExpression(InvalidRequestError):
    """Band maths that cannot be read or meant; the message gives line and column."""


class NotSupportedError(DatacubeError):
    """A known thing of the standard that this server does not do."""


class OperationNotSupported(NotSupportedError):
    """An operation that is not offered."""


class VersionNotSupported(NotSupportedError):
    """A protocol version that is not offered."""


class LimitExceededError(DatacubeError):
    """The answer would cost more than the configured limit."""


class RequestTooLarge(LimitExceededError):
    """Too many cells, pixels or bytes; the message says the cost, the limit and what would pass."""


class TooManyJobs(LimitExceededError):
    """No further job is taken now; one may be later."""


class ConflictError(DatacubeError):
    """Another writer committed first and the two changes overlap."""


class StorageError(DatacubeError):
    """The object store failed, or what it holds is damaged."""


class SourceError(DatacubeError):
    """An ingest source that cannot be read or does not fit the cube."""


class ConfigError(DatacubeError):
    """A configuration with problems, all of them.

    Parameters
    ----------
    findings : sequence of str
        One line each, ``file:line: what is wrong``.
    """

    def __init__(self, findings: tuple[str, ...], *, subject: str | None = None) -> None:
        super().__init__("\n".join(findings), subject=subject)
        self.findings = findings
