"""What an answer of GetCoverage is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from datacube.formats.registry import Encoder
from datacube.model.query import CoverageQuery


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent.

    Parameters
    ----------
    query : CoverageQuery
    encoder : Encoder
    name : str, of the file
    options : of the encoder: how the values lie in the file, and whether they are unpacked
    notes : tuple of str, what was taken because nothing was said
    dry : whether only what it would cost is to be told
    """

    query: CoverageQuery
    encoder: Encoder
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    dry: bool = False
