"""The formats of coverages: files that are written from the values, and pictures that are drawn."""

from dataclasses import dataclass

from datacube.engine.context import Context
from datacube.engine.coverage import plan_coverage
from datacube.engine.coverage_picture import check_picture, draw_coverage, picture_state
from datacube.errors import InvalidFormat
from datacube.formats.registry import Encoder, Registry, encoders
from datacube.model.coverage import CoverageDescription
from datacube.model.query import CoverageQuery
from datacube.render.encode import encode
from services.ows.coveragefile import CoverageFile


@dataclass(frozen=True, slots=True)
class Picture:
    """A format of pictures: a coverage in the colours of a style, a pixel for each cell.

    Parameters
    ----------
    media_type : str
    extension : str, without the dot
    aliases : tuple of str, other names in requests, lower case
    dims : axes of more than one cell beside x and y
    """

    media_type: str
    extension: str
    aliases: tuple[str, ...]
    dims: int = 0

    def check(self, description: CoverageDescription) -> None:
        """Refuse what is no plane; raises what :func:`check_picture` raises."""
        check_picture(description)

    def state(self, context: Context, query: CoverageQuery, style: str) -> str:
        """What decides the picture; raises what :func:`picture_state` raises."""
        return picture_state(context, query, style)

    def draw(self, context: Context, query: CoverageQuery, style: str) -> CoverageFile:
        """The picture; raises what :func:`draw_coverage` raises."""
        plan = plan_coverage(context, query)
        content = encode(draw_coverage(context, query, style), self.media_type)
        return CoverageFile(plan.description, plan.notes, content)


type Form = Encoder | Picture

PICTURES = (
    Picture("image/png", "png", ("png",)),
    Picture("image/jpeg", "jpg", ("jpeg", "jpg", "image/jpg")),
)


def forms() -> tuple[Form, ...]:
    """Files and pictures, in the order in which documents list them."""
    return (*encoders().entries, *PICTURES)


def form_types() -> tuple[str, ...]:
    """Their media types."""
    return tuple(one.media_type for one in forms())


def find_form(name: str, registry: Registry | None = None) -> Form:
    """The format of a media type or one of its names; case and parameters do not matter.

    Parameters
    ----------
    registry : of files; that of all versions where not given

    Raises
    ------
    InvalidFormat
        There is none; the message lists what is offered.

    Examples
    --------
    >>> find_form("PNG").media_type, find_form("geotiff").media_type
    ('image/png', 'image/tiff')
    """
    wanted = name.partition(";")[0].strip().lower()
    for one in PICTURES:
        if wanted == one.media_type or wanted in one.aliases:
            return one
    files = registry or encoders()
    try:
        return files.find(name)
    except InvalidFormat as error:
        pictures = ", ".join(one.media_type for one in PICTURES)
        raise InvalidFormat(f"{error.message}, {pictures}", subject="format") from error
