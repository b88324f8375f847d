"""Model of ``tilematrixsets/*.json``: tile matrix sets as OGC 17-083r4 writes them."""

import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datacube.errors import DatacubeError
from datacube.model.crs import Crs
from datacube.model.tiling import PIXEL_SIZE, TileMatrix, TileMatrixSet, metres_per_unit


class _Part(BaseModel):
    """A part of a document that may say more than is needed here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TileMatrixModel(_Part):
    """One matrix."""

    id: str = Field(min_length=1)
    scaleDenominator: Annotated[float, Field(gt=0)]  # noqa: N815  as the standard has it
    cellSize: Annotated[float, Field(gt=0)] | None = None  # noqa: N815
    cornerOfOrigin: Literal["topLeft"] = "topLeft"  # noqa: N815
    pointOfOrigin: tuple[float, float]  # noqa: N815
    tileWidth: Annotated[int, Field(gt=0, le=4096)]  # noqa: N815
    tileHeight: Annotated[int, Field(gt=0, le=4096)]  # noqa: N815
    matrixWidth: Annotated[int, Field(gt=0)]  # noqa: N815
    matrixHeight: Annotated[int, Field(gt=0)]  # noqa: N815
    variableMatrixWidths: tuple[()] = ()  # noqa: N815


class CrsUri(_Part):
    """A CRS by its URI."""

    uri: str


class CrsWkt(_Part):
    """A CRS by its PROJJSON."""

    wkt: dict[str, object] | str


class TileMatrixSetModel(_Part):
    """A tile matrix set."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")] | None = None
    title: str = ""
    uri: str = ""
    crs: str | CrsUri | CrsWkt
    tileMatrices: Annotated[tuple[TileMatrixModel, ...], Field(min_length=1)]  # noqa: N815

    @model_validator(mode="after")
    def _read_crs(self) -> Self:
        try:
            self.reference()
        except DatacubeError as error:
            raise ValueError(error.message) from error
        return self

    def reference(self) -> Crs:
        """The CRS.

        Raises
        ------
        InvalidCrs
            It is none that PROJ knows.
        """
        match self.crs:
            case str():
                return Crs.parse(self.crs)
            case CrsUri(uri=uri):
                return Crs.parse(uri)
            case CrsWkt(wkt=wkt):
                return Crs.from_wkt(wkt if isinstance(wkt, str) else json.dumps(wkt))


def build_tile_matrix_set(model: TileMatrixSetModel, name: str) -> TileMatrixSet:
    """A set, coarsest matrix first; ``name`` is that of its file.

    Points of origin are in the axis order of the CRS, as the standard has them.
    """
    crs = model.reference()
    ordered = sorted(model.tileMatrices, key=lambda one: -one.scaleDenominator)
    matrices = tuple(_matrix(one, crs) for one in ordered)
    own = model.id or name
    return TileMatrixSet(own, model.title or own, crs, matrices, model.uri)


def _matrix(one: TileMatrixModel, crs: Crs) -> TileMatrix:
    left, top = crs.ordered(*one.pointOfOrigin)
    return TileMatrix(
        one.id,
        one.cellSize or one.scaleDenominator * PIXEL_SIZE / metres_per_unit(crs),
        left,
        top,
        one.tileWidth,
        one.tileHeight,
        one.matrixWidth,
        one.matrixHeight,
    )
