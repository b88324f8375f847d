"""What differs between the versions of WCS; the query and what is sent are shared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.errors import DatacubeError, MissingParameter, VersionNotSupported
from services.ows.kvp import Kvp
from services.ows.negotiate import ows_version, wms_version
from services.ows.transport import Request, Response

type Handler = Callable[[Context, Request, Kvp], Response]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the protocol.

    Parameters
    ----------
    number : str
    operations : mapping of a name, as the standard spells it, to its handler
    report : function
        Makes an exception report; ``strict`` sends 4xx and 5xx where the version sends 200.
    """

    number: str
    operations: Mapping[str, Handler]
    report: Callable[[DatacubeError, bool], Response]


def negotiated(kvp: Kvp, offered: tuple[str, ...]) -> str:
    """Version of a GetCapabilities answer: by AcceptVersions, else by VERSION, else the highest.

    Parameters
    ----------
    offered : versions, lowest first

    Raises
    ------
    VersionNotSupported
        AcceptVersions lists none that is offered.

    Examples
    --------
    >>> offered = ("1.0.0", "1.1.1", "2.0.1")
    >>> [negotiated(Kvp([("version", v)]), offered) for v in ("", "1.1", "1.0.2", "0.8", "3.0")]
    ['2.0.1', '1.1.1', '1.0.0', '1.0.0', '2.0.1']
    """
    if "AcceptVersions" in kvp or "VERSION" not in kvp:
        return ows_version(kvp, offered)
    asked = kvp.one("VERSION").strip()
    return _spelled(asked, offered) or wms_version(asked, offered)


def stated(kvp: Kvp, offered: tuple[str, ...]) -> str:
    """Version that a request of another operation is written in; 2.0.1 where it does not say.

    Raises
    ------
    MissingParameter
        It does not say, and 2.0.1 is not offered.
    VersionNotSupported
        It is not offered.
    """
    newest = offered[-1]
    if "VERSION" not in kvp:
        if newest.startswith("2."):
            return newest
        raise MissingParameter("the parameter VERSION is missing", subject="version")
    asked = kvp.one("VERSION").strip()
    found = _spelled(asked, offered)
    if not found:
        raise VersionNotSupported(
            f"the version {asked[:20]} is not offered; offered are {', '.join(offered)}",
            subject="version",
        )
    return found


def _spelled(asked: str, offered: tuple[str, ...]) -> str:
    """The offered version of a number, perhaps without its last part; 2.0.0 is 2.0.1."""
    text = "2.0.1" if asked == "2.0.0" else asked
    same = [one for one in offered if one == text or one.startswith(f"{text}.")]
    return same[-1] if text and same else ""
