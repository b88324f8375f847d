"""What differs between the versions of WMS; everything else is shared."""

from collections.abc import Callable
from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.errors import DatacubeError
from services.ows.transport import Request, Response


@dataclass(frozen=True, slots=True)
class Listing:
    """What a request for the capabilities says of the answer.

    Parameters
    ----------
    cubes : tuple of str, whose layers alone are listed; all where none is named
    language : str, of the texts; empty where the server does not name its own
    """

    cubes: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the protocol.

    Parameters
    ----------
    number : str
        ``1.3.0``.
    crs : str
        Name of the parameter with the CRS.
    column, row : tuple of str
        Names under which a pixel's column and row are sent, the standard's own first.
    info_format : str
        Format of values where none is asked for; empty where one must be.
    authority_order : bool
        Whether BBOX follows the CRS' axis order; x before y otherwise.
    capabilities : function
        Makes the answer of GetCapabilities.
    report : function
        Makes an exception report; ``strict`` sends 4xx and 5xx instead of 200.
    """

    number: str
    crs: str
    column: tuple[str, ...]
    row: tuple[str, ...]
    info_format: str
    authority_order: bool
    capabilities: Callable[[Context, Request, Listing], Response]
    report: Callable[[DatacubeError, bool], Response]
