"""Blocks of values, and pictures."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from datacube.model.domain import DomainSet
from datacube.model.fields import Field


@dataclass(frozen=True, eq=False)
class Block:
    """Stored values of one field over a domain.

    Parameters
    ----------
    field : Field
    domain : DomainSet
    data : stored dtype of field, (*axes, y, x)
    mask : bool, (*axes, y, x), optional
        True where data is data; None where the values themselves say it.
    """

    field: Field
    domain: DomainSet
    data: NDArray[np.generic]
    mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        mask = self.data.shape if self.mask is None else self.mask.shape
        if not self.data.shape == mask == self.domain.shape:
            raise ValueError(
                f"{self.field.name}: data {self.data.shape}, valid {mask}, "
                f"domain {self.domain.shape}"
            )

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """True where data is data; bool, (*axes, y, x)."""
        return self.field.valid(self.data) if self.mask is None else self.mask

    def physical(self) -> NDArray[np.floating]:
        """Physical values in the field's unit, NaN where not valid; (*axes, y, x)."""
        return self.field.decode(self.data, self.valid)


@dataclass(frozen=True, eq=False)
class IndexedImage:
    """A picture of palette indexes.

    Parameters
    ----------
    index : uint8, (y, x)
    palette : uint8, (n ≤ 256, 4), RGBA
    """

    index: NDArray[np.uint8]
    palette: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.index.shape
        return height, width

    def rgba(self) -> "RgbaImage":
        """The same picture with a colour for each pixel."""
        return RgbaImage(self.palette[self.index])


@dataclass(frozen=True, eq=False)
class RgbImage:
    """An opaque picture: uint8, (y, x, 3)."""

    pixels: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.pixels.shape[:2]
        return height, width

    def rgba(self) -> "RgbaImage":
        """The same picture with alpha 255."""
        alpha = np.full((*self.shape, 1), 255, np.uint8)
        return RgbaImage(np.concatenate([self.pixels, alpha], axis=-1))


@dataclass(frozen=True, eq=False)
class RgbaImage:
    """A picture with straight alpha: uint8, (y, x, 4)."""

    pixels: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.pixels.shape[:2]
        return height, width

    def rgba(self) -> "RgbaImage":
        """Itself."""
        return self


type Image = IndexedImage | RgbImage | RgbaImage
