"""Refusals that only a protocol knows: no word of them in the core."""

from datacube.errors import DatacubeError, InvalidRequestError


class LayerNotQueryable(InvalidRequestError):
    """GetFeatureInfo on a layer that gives no values (WMS)."""


class JobsNotListed(DatacubeError):
    """The list of jobs is nobody's business (OGC API - Processes)."""


class UpdateSequenceError(InvalidRequestError):
    """updateSequence of the request against the server's."""


class CurrentUpdateSequence(UpdateSequenceError):
    """The client's document is the current one (WMS 1.3.0, 7.2.3.5)."""


class InvalidUpdateSequence(UpdateSequenceError):
    """The client's document is newer than the server's."""
