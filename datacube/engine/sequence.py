"""Where a catalogue stands in time, as a text that orders: what documents call updateSequence."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256

INSTANT = len("2026-03-01T12:00:00.123")
"""Letters of a sequence that say when; the others tell states of the same millisecond apart."""

_NEVER = "0001-01-01T00:00:00.000"


def sequence_of(changes: Iterable[str], state: object, before: str = "") -> str:
    """When something last changed, to the millisecond, then six digits of what is served.

    It is an ISO 8601 timestamp, so that sequences compare as texts do.

    Parameters
    ----------
    changes : ISO 8601 times with their zones, of commits and of the configuration
    state : value whose repr is stable: names all that is served, and how
    before : str, the sequence until now, behind which the time never falls

    Examples
    --------
    >>> first = sequence_of(["2026-03-01T12:00:00.123+00:00"], "sst@1")
    >>> first[:INSTANT], len(first), first[-1]
    ('2026-03-01T12:00:00.123', 30, 'Z')
    >>> sequence_of(["2026-03-01T13:00:01+01:00"], "sst@2") > first
    True
    >>> sequence_of([], "", first)[:INSTANT] == first[:INSTANT]
    True
    >>> sequence_of(["yesterday"], "")[:4]
    '0001'
    """
    newest = max(map(_instant, changes), default=_NEVER)
    digest = sha256(repr(state).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{max(newest, before[:INSTANT])}{int(digest, 16) % 1_000_000:06d}Z"


def _instant(time: str) -> str:
    """To the millisecond in UTC; what cannot be read has never been."""
    try:
        read = datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):
        return _NEVER
    return read.isoformat(timespec="milliseconds")[:INSTANT]
