"""The metadata of an array that somebody else wrote -> how its chunks are named and decoded."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.errors import StorageError
from datacube.store.codecs import MAX_STEPS, ArrayCodec, fill_scalar
from datacube.store.compression import ByteCodec, byte_codec
from datacube.store.foreign_nodes import Node
from datacube.store.plugins import PluginCodec
from datacube.store.sharding import AnyCodec, ShardCodec, parse_codecs
from datacube.store.texts import TextCodec

MAX_CHUNK_BYTES = 256 << 20
"""Larger decoded chunks are not served: a request holds several at a time."""

MAX_DIMENSIONS = 12
_MAX_SIDE = 1 << 40
_NUMBERS = "biuf"

type FieldCodec = AnyCodec | PluginCodec | TextCodec


@dataclass(frozen=True, slots=True)
class ArrayMeta:
    """An array: its shape, names, and how to read it.

    Parameters
    ----------
    path : str
        Below the group's folder.
    shape : tuple of int
    dimensions : tuple of str
        Names; ``""`` where it has none.
    codec : of the objects
    prefix, separator : str
        Of the chunks' names: ``c`` and ``/`` make ``c/0/1``.
    attributes : mapping
        CF attributes; of Zarr v2 the fill value is among them as ``_FillValue``.
    time_unit : str
        Numpy's unit (``ns``) where the numbers are instants since 1970.
    defined : bool
        Whether what was never written has a value.
    """

    path: str
    shape: tuple[int, ...]
    dimensions: tuple[str, ...]
    codec: FieldCodec
    prefix: str
    separator: str
    attributes: Mapping[str, Any]
    time_unit: str = ""
    defined: bool = True

    @property
    def name(self) -> str:
        """Last step of the path."""
        return self.path.rpartition("/")[2]

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """The smallest part that can be read alone."""
        if isinstance(self.codec, ShardCodec) and self.codec.splittable:
            return self.codec.inner.chunk_shape
        return self.codec.chunk_shape

    @property
    def numeric(self) -> bool:
        """Whether it holds plain numbers."""
        return not isinstance(self.codec, TextCodec) and not self.time_unit

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native type of the decoded values."""
        return self.codec.dtype.newbyteorder("=")

    def key(self, index: tuple[int, ...]) -> str:
        """Name of an object below the group's folder.

        Examples
        --------
        >>> meta = ArrayMeta("t", (2,), ("time",), TextCodec((1,)), "c", "/", {})
        >>> meta.key((1,))
        't/c/1'
        """
        steps = [self.prefix] if self.prefix else []
        steps += [str(one) for one in index]
        return f"{self.path}/{self.separator.join(steps) or '0'}"


def parse_array(node: Node) -> ArrayMeta:
    """Read the metadata of an array.

    Raises
    ------
    StorageError
        It is malformed, or says what is not known here; the message says what.
    """
    try:
        meta = _parse_v3(node) if node.version == 3 else _parse_v2(node)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise StorageError(f"its metadata is malformed: {_words(error)}") from error
    bytes_ = prod(meta.chunk_shape) * meta.codec.dtype.itemsize
    if bytes_ > MAX_CHUNK_BYTES:
        raise StorageError(
            f"its chunks of {list(meta.chunk_shape)} cells take {bytes_ >> 20} MB each; up to "
            f"{MAX_CHUNK_BYTES >> 20} MB are served"
        )
    return meta


def _parse_v3(node: Node) -> ArrayMeta:
    document = node.document
    shape = _sides(document["shape"], least=0)
    if document.get("storage_transformers"):
        raise StorageError("it has storage transformers, which are not known")
    grid = document["chunk_grid"]
    if grid["name"] != "regular":
        raise StorageError(f"the chunk grid '{str(grid['name'])[:60]}' is not known")
    chunks = _sides(grid["configuration"]["chunk_shape"], least=1, count=len(shape))
    codecs = document["codecs"]
    dtype, unit = _dtype_v3(document["data_type"])
    encoding = document.get("chunk_key_encoding") or {"name": "default"}
    prefix, separator = _encoding(encoding)
    names = document.get("dimension_names") or node.attributes.get("_ARRAY_DIMENSIONS")
    codec: FieldCodec
    if dtype is None:
        if codecs[0]["name"] != "vlen-utf8":
            raise StorageError(f"texts by the codec '{str(codecs[0]['name'])[:60]}'")
        codec = TextCodec(chunks, _steps(codecs[1:], 1))
    else:
        fill = _fill(document["fill_value"], dtype)
        codec = _codec(document, dtype, chunks, fill)
    attributes = dict(node.attributes)
    if isinstance(attributes.get("_FillValue"), str) and dtype is not None and dtype.kind == "f":
        attributes["_FillValue"] = _base64_float(attributes["_FillValue"])
    return ArrayMeta(
        node.path, shape, _names(names, shape), codec, prefix, separator, attributes, unit
    )


def _codec(
    document: Mapping[str, Any],
    dtype: np.dtype[Any],
    chunks: tuple[int, ...],
    fill: np.generic,
) -> FieldCodec:
    """The codec of numbers; by zarr-python where it is the only one to know it."""
    try:
        return parse_codecs(document["codecs"], dtype, chunks, fill)
    except StorageError as unknown:
        small = prod(chunks) * dtype.itemsize <= MAX_CHUNK_BYTES
        names = [str(one.get("name")) for one in document["codecs"] if isinstance(one, dict)]
        if not small or "not known" not in unknown.message or "sharding_indexed" in names:
            raise
        try:
            return PluginCodec.make(document, dtype, chunks, fill)
        except StorageError:
            raise unknown from None


def _parse_v2(node: Node) -> ArrayMeta:
    document = node.document
    shape = _sides(document["shape"], least=0)
    chunks = _sides(document["chunks"], least=1, count=len(shape))
    dtype, unit = _dtype_v2(document["dtype"])
    separator = document.get("dimension_separator", ".")
    if separator not in {".", "/"}:
        raise StorageError(f"the separator '{str(separator)[:20]}' is none of . and /")
    filters = list(document.get("filters") or ())
    compressor = document.get("compressor")
    after = [compressor] if compressor is not None else []
    fill = document.get("fill_value")
    attributes = dict(node.attributes)
    codec: FieldCodec
    if dtype is None:
        if not filters or filters[0].get("id") != "vlen-utf8":
            raise StorageError("objects that are no texts (vlen-utf8)")
        codec = TextCodec(chunks, _steps([*filters[1:], *after], 1))
    else:
        order = tuple(reversed(range(len(shape)))) if document.get("order") == "F" else ()
        steps = _steps([*filters, *after], dtype.itemsize)
        scalar = _fill(0 if fill is None else fill, dtype)
        codec = ArrayCodec(dtype, chunks, scalar, steps, order)
        if fill is not None and dtype.kind in "iuf" and not unit:
            attributes["_FillValue"] = scalar.item()
    names = attributes.get("_ARRAY_DIMENSIONS") or _nczarr_names(attributes)
    return ArrayMeta(
        node.path,
        shape,
        _names(names, shape),
        codec,
        "",
        separator,
        attributes,
        unit,
        fill is not None,
    )


def _sides(said: Any, *, least: int, count: int | None = None) -> tuple[int, ...]:
    whole = isinstance(said, list) and all(type(one) is int for one in said)
    if not whole or (count is not None and len(said) != count) or len(said) > MAX_DIMENSIONS:
        raise StorageError(f"the shape {str(said)[:80]} is none")
    if any(not least <= one <= _MAX_SIDE for one in said):
        raise StorageError(f"the shape {str(said)[:80]} cannot be")
    return tuple(said)


def _names(said: Any, shape: tuple[int, ...]) -> tuple[str, ...]:
    if not isinstance(said, list) or len(said) != len(shape):
        return ("",) * len(shape)
    return tuple("" if one is None else str(one)[:200] for one in said)


def _nczarr_names(attributes: Mapping[str, Any]) -> Any:
    """Dimensions as the netCDF library writes them: references to where they are defined."""
    for key, inner in (("_nczarr_array", "dimension_references"), ("_NCZARR_ARRAY", "dimrefs")):
        said = attributes.get(key)
        if isinstance(said, dict) and isinstance(said.get(inner), list):
            return [str(one).rpartition("/")[2] for one in said[inner]]
    return None


def _encoding(encoding: Mapping[str, Any]) -> tuple[str, str]:
    name = encoding["name"]
    default = {"default": "/", "v2": "."}
    separator = (encoding.get("configuration") or {}).get("separator", default.get(name))
    if name not in default or separator not in {".", "/"}:
        raise StorageError(f"the chunk key encoding {str(dict(encoding))[:80]} is not known")
    return ("c" if name == "default" else ""), separator


def _dtype_v3(said: Any) -> tuple[np.dtype[Any] | None, str]:
    """Numpy type, None for texts of any length; and the unit of instants."""
    name = said if isinstance(said, str) else said["name"]
    options = {} if isinstance(said, str) else said.get("configuration") or {}
    if name in {"string", "variable_length_utf8"}:
        return None, ""
    if name == "fixed_length_utf32":
        return np.dtype(f"U{int(options['length_bytes']) // 4}"), ""
    if name in {"null_terminated_bytes", "null-terminated-bytes"}:
        return np.dtype(f"S{int(options['length_bytes'])}"), ""
    if name == "numpy.datetime64":
        return np.dtype(np.int64), f"{int(options.get('scale_factor', 1))}{options['unit']}"
    return _number(np.dtype(str(name)), str(name)), ""


def _dtype_v2(said: Any) -> tuple[np.dtype[Any] | None, str]:
    if not isinstance(said, str):
        raise StorageError("its elements are structures; plain numbers are served")
    dtype = np.dtype(said)
    if dtype.kind == "M":
        return np.dtype(f"{dtype.byteorder}i8"), said.partition("[")[2].rstrip("]")
    if dtype.kind == "O":
        return None, ""
    return (dtype if dtype.kind in "US" else _number(dtype, said)), ""


def _number(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if dtype.kind not in _NUMBERS or dtype.itemsize > 8:
        raise StorageError(f"its elements are of type {name[:60]}; real numbers are served")
    return dtype


def _fill(said: Any, dtype: np.dtype[Any]) -> np.generic:
    """The fill value; of texts it is the empty one, whatever is said."""
    empty: np.generic = dtype.type()
    if dtype.kind in "US":
        return empty
    if said == "NaT":
        said = np.iinfo(np.int64).min
    if isinstance(said, list | dict):
        raise StorageError(f"the fill value {str(said)[:60]} is no number")
    return fill_scalar(said, dtype)


def _steps(codecs: Sequence[Mapping[str, Any]], itemsize: int) -> tuple[ByteCodec, ...]:
    if len(codecs) > MAX_STEPS:
        raise StorageError(f"{len(codecs)} codecs in a row; up to {MAX_STEPS} are read")
    return tuple(
        byte_codec(
            str(one.get("id") or one.get("name")),
            {**one, **(one.get("configuration") or {})},
            itemsize,
        )
        for one in codecs
    )


def _base64_float(text: str) -> float:
    """A float as xarray writes it into JSON: its eight bytes in base 64."""
    try:
        return float(text)
    except ValueError:
        return float(np.frombuffer(base64.b64decode(text, validate=True), "<f8")[0])


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {str(error)[:120]}"


def decoded_texts(values: NDArray[Any]) -> tuple[str, ...]:
    """Labels out of decoded texts."""
    return tuple(
        one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for one in values.reshape(-1).tolist()
    )
