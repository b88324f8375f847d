"""Parameters of this server that GetCoverage takes in every version beside the standard's own."""

from dataclasses import dataclass, replace

from datacube.model.crs import CRS84, Crs
from datacube.model.fields import RangeType
from datacube.model.geometry import Region
from datacube.model.query import Aggregate, CoverageQuery
from services.ows import aggregate, masks
from services.ows.declared import Parameter
from services.ows.geometries import parse_area
from services.ows.kvp import Kvp, boolean, word
from services.ows.masks import mask_expression
from services.wcs import options
from services.wcs.forms import Form
from services.wcs.order import Order

PARAMETERS = (
    *aggregate.PARAMETERS,
    masks.PARAMETER,
    Parameter(
        "CLIP",
        "a polygon outside which there is no data, in WKT or GeoJSON; longitudes first where no "
        "CRS of subsets is given; a large one is sent by POST",
    ),
    *options.PARAMETERS,
    Parameter("STYLE", "of a picture, image/png or image/jpeg: a style of the coverage's layer"),
    Parameter(
        "DRYRUN",
        "tells axes, bytes, chunks and notes as JSON, and reads nothing",
        ("true", "false"),
    ),
)


@dataclass(frozen=True, slots=True)
class Extras:
    """The parameters as written.

    Parameters
    ----------
    aggregate : Aggregate or None
    mask : str, which cells have data; empty for all
    clip : Region outside which there is no data, or None
    options : of the encoder: layout of a GeoTIFF, compression, raw or physical values
    style : of a picture, empty for the default
    dry : whether only what it would cost is to be told
    """

    aggregate: Aggregate | None = None
    mask: str = ""
    clip: Region | None = None
    options: tuple[tuple[str, str], ...] = ()
    style: str = ""
    dry: bool = False

    def applied(self, query: CoverageQuery, fields: RangeType) -> CoverageQuery:
        """The query with what these ask for.

        Parameters
        ----------
        fields : of the coverage

        Raises
        ------
        FieldNotFound, InvalidParameter, InvalidExpression
            The mask does not fit the coverage.
        """
        mask = mask_expression(fields, self.mask) if self.mask else ""
        return replace(query, aggregate=self.aggregate, clip=self.clip, mask=mask)

    def order(
        self, query: CoverageQuery, encoder: Form, name: str, notes: tuple[str, ...] = ()
    ) -> Order:
        """What is to be sent of a query, as a file of that name."""
        return Order(query, encoder, name, dict(self.options), notes, self.style, self.dry)


def all_times(kvp: Kvp) -> bool:
    """``TIMES=full`` of DescribeCoverage: every instant of an axis that has many."""
    return kvp.optional("times", word("full", "short"), "short") == "full"


def decode_extras(kvp: Kvp, crs: Crs = CRS84) -> Extras:
    """Read the parameters.

    Parameters
    ----------
    crs : of the positions of a polygon in WKT

    Raises
    ------
    InvalidParameter, InvalidSubset, MissingParameter
        A value cannot be read.
    """
    return Extras(
        aggregate.decode_aggregate(kvp),
        kvp.optional("mask", str.strip, ""),
        kvp.optional("clip", lambda text: parse_area(text, crs), None),
        options.encoder_options(kvp),
        kvp.optional("style", str.strip, ""),
        kvp.optional("dryrun", boolean, default=False),
    )
