"""What an answer of GetCoverage is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from datacube.model.query import CoverageQuery
from services.wcs.forms import Form


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent.

    Parameters
    ----------
    query : CoverageQuery
    encoder : Encoder or Picture
    name : str, of the file
    options : of the encoder: how the values lie in the file, and whether they are unpacked
    notes : tuple of str, what was taken because nothing was said
    style : of a picture, empty for the default
    dry : whether only what it would cost is to be told
    """

    query: CoverageQuery
    encoder: Form
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    style: str = ""
    dry: bool = False

    @property
    def told(self) -> Mapping[str, str]:
        """The options, and the history that a file tells."""
        return {"history": f"GetCoverage {self.name.rpartition('.')[0]}", **self.options}
