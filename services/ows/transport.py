"""What a handler may know of HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from datacube.errors import InvalidParameter
from datacube.formats.pieces import Piece

FORM = "application/x-www-form-urlencoded"
AT_ONCE = 16 << 20
"""Bytes of a body of known size up to which all of it is made before any is sent."""

_MAX_FIELDS = 1000


class TakesLonger(Exception):
    """The answer to a request that had to be brief, or is only weighed, is not made.

    Nothing has been read or drawn.

    Parameters
    ----------
    values : int, that would be read, where that is known
    nbytes : int, of them
    """

    def __init__(self, values: int = 0, nbytes: int = 0) -> None:
        super().__init__(values, nbytes)
        self.values, self.nbytes = values, nbytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the protocols see it.

    Parameters
    ----------
    method : str
        ``GET``, ``POST`` …
    path : str
        Path below the server's root, beginning with ``/``.
    query : tuple of (name, value), percent-decoded, in order
    headers : mapping, names in lower case
    body : bytes
    base_url : str
        Public URL of the server's root, with its prefix and without a slash at its end.
    head : bool
        Whether only the headers of the answer will be sent.
    brief : bool
        Whether nothing may be done for it but what takes a moment (:class:`TakesLonger`).
    weighed : bool
        Whether nothing is to be made: a file that could be is told of by :class:`TakesLonger`.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""
    head: bool = False
    brief: bool = False
    weighed: bool = False

    def header(self, name: str) -> str:
        """A header's value, empty where it is absent."""
        return self.headers.get(name.lower(), "")

    @property
    def content_type(self) -> str:
        """Media type of the body, without parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def operation(self) -> str:
        """The first parameter REQUEST of the URL; empty where there is none."""
        return next((value for name, value in self.query if name.lower() == "request"), "")

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Parameters of the URL and, in a POST with a form, of the body.

        Raises
        ------
        InvalidParameter
            The form is not text in UTF-8, or has more than 1000 parameters.

        Examples
        --------
        >>> form = {"content-type": "application/x-www-form-urlencoded"}
        >>> Request("POST", "/wms", (("SERVICE", "WMS"),), form, b"request=GetMap").parameters()
        (('SERVICE', 'WMS'), ('request', 'GetMap'))
        """
        if self.method != "POST" or self.content_type != FORM:
            return self.query
        if self.body.count(b"&") >= _MAX_FIELDS:
            raise InvalidParameter(f"the form has more than {_MAX_FIELDS} parameters")
        try:
            form = self.body.decode("utf-8")
            pairs = parse_qsl(form, keep_blank_values=True, errors="strict")
        except ValueError as error:
            raise InvalidParameter("the form cannot be read: it is not UTF-8 text") from error
        return (*self.query, *pairs)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    Parameters
    ----------
    status : int
    media_type : str
        The exact Content-Type.
    body : bytes, or an iterator of them
        An iterator is closed when the client has gone; a header may state its length.
    headers : tuple of (name, value)
    lasting : bool
        Whether the same URL gets the same answer, whatever the headers of the request but the
        host, until the catalogue changes. It has an entity tag then.
    """

    status: int
    media_type: str
    body: bytes | Iterator[Piece]
    headers: tuple[tuple[str, str], ...] = ()
    lasting: bool = False

    def header(self, name: str) -> str:
        """First value of a header, whatever its case; empty where it is absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        """The same answer with further headers."""
        return replace(self, headers=(*self.headers, *headers))
