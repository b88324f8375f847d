"""updateSequence of a request: whether the client has the newest document already."""

from datacube.engine.sequence import INSTANT
from services.ows.errors import CurrentUpdateSequence, InvalidUpdateSequence
from services.ows.kvp import Kvp


def is_current(kvp: Kvp, current: str) -> bool:
    """Whether the client's document is the current one (OWS Common 1.1, 7.3.4).

    A sequence that is lower, or that is none of this server's, asks for the whole document.

    Parameters
    ----------
    current : str, of :func:`datacube.engine.sequence.sequence_of`

    Raises
    ------
    InvalidUpdateSequence
        It is higher than the current one.

    Examples
    --------
    >>> now = "2026-03-01T12:00:00.123000000Z"
    >>> asked = (now, "2026-02-28T00:00:00Z", "none", "")
    >>> [is_current(Kvp([("updatesequence", one)]), now) for one in asked]
    [True, False, False, False]
    """
    asked = kvp.optional("updateSequence", str.strip, "")
    if asked[:1].isdecimal() and asked[:INSTANT] > current[:INSTANT]:
        raise InvalidUpdateSequence(
            f"the updateSequence {asked[:50]} is higher than the current one, {current}",
            subject="UPDATESEQUENCE",
        )
    return asked == current


def refuse_current(kvp: Kvp, current: str) -> None:
    """Refuse to send what the client has (WMS 1.3.0, 7.2.3.5; WCS 1.0.0, table 3).

    Raises
    ------
    CurrentUpdateSequence, InvalidUpdateSequence
    """
    if is_current(kvp, current):
        raise CurrentUpdateSequence(
            f"the updateSequence {current} is the current one", subject="UPDATESEQUENCE"
        )
