"""Versions: the rule of WMS and the two rules of OWS Common."""

from datacube.errors import VersionNotSupported
from services.ows.kvp import Kvp, comma_list


def wms_version(asked: str | None, offered: tuple[str, ...]) -> str:
    """Version to answer with: never an error (WMS 1.3.0, 6.2.4).

    The one asked; else the highest below it; else the lowest offered. None asks for the highest.

    Parameters
    ----------
    offered : versions, lowest first

    Examples
    --------
    >>> [wms_version(v, ("1.1.1", "1.3.0")) for v in (None, "1.1.1", "1.2.0", "1.0.0", "100.0.0")]
    ['1.3.0', '1.1.1', '1.1.1', '1.1.1', '1.3.0']
    """
    if asked is None:
        return offered[-1]
    wanted = _numbers(asked)
    below = [version for version in offered if _numbers(version) <= wanted]
    return below[-1] if below else offered[0]


def ows_version(kvp: Kvp, offered: tuple[str, ...], default: str | None = None) -> str:
    """Version of a GetCapabilities answer (OWS Common 1.1, 7.3.2).

    AcceptVersions decides by the client's order of preference; without it, VERSION, which several
    clients send, is honoured where it is offered and else ignored; without both the default.

    Parameters
    ----------
    offered : versions, lowest first
    default : the version without any wish; the highest where None

    Raises
    ------
    VersionNotSupported
        AcceptVersions lists none that is offered.

    Examples
    --------
    >>> ows_version(Kvp([("acceptversions", "9.9.9,1.0.0")]), ("1.0.0",))
    '1.0.0'
    """
    if "AcceptVersions" in kvp:
        wanted = kvp.one("AcceptVersions", comma_list)
        for version in wanted:
            if version in offered:
                return version
        raise VersionNotSupported(
            f"none of the versions {', '.join(wanted)} is offered; offered: {', '.join(offered)}",
            subject="AcceptVersions",
        )
    asked = kvp.optional("VERSION", str.strip, "")
    return asked if asked in offered else default or offered[-1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part[:9]) if part.isdecimal() else 0 for part in version.strip().split("."))
