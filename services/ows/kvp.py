"""Typed reading of key-value parameters.

Names are compared without case, an empty value counts as absent, and a parameter that may stand
once may be repeated only with the same value. Errors name the parameter as the standard spells it.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from math import isfinite
from typing import overload

from datacube.errors import DatacubeError, InvalidParameter, MissingParameter
from services.ows.transport import Request


class Kvp:
    """The parameters of a request.

    Parameters
    ----------
    pairs : iterable of (name, value), percent-decoded

    Examples
    --------
    >>> kvp = Kvp([("Width", "256"), ("layers", "a,b"), ("STYLES", "")])
    >>> kvp.one("WIDTH", positive), kvp.one("LAYERS", comma_list), kvp.optional("STYLES", str, "-")
    (256, ('a', 'b'), '-')
    >>> kvp.one("CRS")
    Traceback (most recent call last):
    datacube.errors.MissingParameter: the parameter CRS is missing
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        values: dict[str, list[str]] = {}
        filled: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            key = name.strip().lower()
            values.setdefault(key, []).append(value)
            if value.strip():
                filled[key] = (*filled.get(key, ()), value)
        self._values, self._filled = values, filled

    @staticmethod
    def of(request: Request) -> "Kvp":
        """Parameters of the URL and of a form in the body."""
        return Kvp(request.parameters())

    def __contains__(self, name: str) -> bool:
        """Whether the parameter is given with a value."""
        return bool(self.values(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names given, in lower case, in order."""
        return tuple(self._values)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names in lower case and their values, in order."""
        return tuple((name, one) for name, values in self._values.items() for one in values)

    def given(self, name: str) -> bool:
        """Whether the parameter is there, be it with an empty value (``STYLES=``)."""
        return name.lower() in self._values

    def values(self, name: str) -> tuple[str, ...]:
        """The values that are not empty."""
        return self._filled.get(name.lower(), ())

    def beside(self, names: Collection[str]) -> Hashable:
        """All but some parameters, by names in lower case: what else a request says."""
        return tuple((name, *these) for name, these in self._values.items() if name not in names)

    def without(self, value: str) -> "Kvp":
        """The same parameters but those of that value, compared without case."""
        kept = [pair for pair in self.pairs if pair[1].strip().lower() != value]
        return self if len(kept) == len(self.pairs) else Kvp(kept)

    def but(self, *names: str) -> "Kvp":
        """The same parameters but those of these names, in lower case."""
        return Kvp((name, value) for name, value in self.pairs if name not in names)

    def put(self, values: Mapping[str, str]) -> "Kvp":
        """The same parameters but some, whose names are in lower case and which get one value."""
        return Kvp([*(pair for pair in self.pairs if pair[0] not in values), *values.items()])

    @overload
    def one(self, name: str) -> str: ...

    @overload
    def one[T](self, name: str, parse: Callable[[str], T]) -> T: ...

    def one(self, name: str, parse: Callable[[str], object] = str) -> object:
        """Value of a mandatory parameter.

        Raises
        ------
        MissingParameter
            It is absent or empty.
        InvalidParameter
            It is given twice, or parse refuses it; parse may raise another domain error.
        """
        values = self.values(name)
        if not values:
            raise MissingParameter(f"the parameter {name} is missing", subject=name)
        return _parsed(name, _single(name, values), parse)

    def optional[T, D](self, name: str, parse: Callable[[str], T], default: D) -> T | D:
        """Value of a parameter that may be absent or empty."""
        return self.one(name, parse) if name in self else default

    @overload
    def many(self, name: str, *, numbered: bool = False) -> tuple[str, ...]: ...

    @overload
    def many[T](
        self, name: str, parse: Callable[[str], T], *, numbered: bool = False
    ) -> tuple[T, ...]: ...

    def many(
        self, name: str, parse: Callable[[str], object] = str, *, numbered: bool = False
    ) -> tuple[object, ...]:
        """Values of a parameter that may be repeated, in order.

        Parameters
        ----------
        numbered : bool
            Take ``NAME0``, ``NAME1`` … too, as some clients write a repeated parameter.
        """
        values = list(self.values(name))
        if numbered:
            stem = name.lower()
            keys = [key for key in self._values if key.startswith(stem) and key != stem]
            for key in keys:
                values += self.values(key) if key[len(stem) :].isdecimal() else ()
        return tuple(_parsed(name, value, parse) for value in values)


def bare_type(text: str) -> str:
    """A media type without parameters; a plus that a URL has brought as a blank is one again.

    Examples
    --------
    >>> bare_type("Image/SVG xml"), bare_type("text/plain; charset=utf-8")
    ('image/svg+xml', 'text/plain')
    """
    return text.partition(";")[0].strip().lower().replace(" ", "+")


def comma_list(text: str) -> tuple[str, ...]:
    """``a,b`` -> ``("a", "b")``; blanks around names are dropped, empty places kept."""
    return tuple(part.strip() for part in text.split(","))


def integer(text: str) -> int:
    """A whole number, also written ``256.0``."""
    value = number(text)
    if value != int(value):
        raise ValueError(f"'{text}' is no whole number")
    return int(value)


def positive(text: str) -> int:
    """A whole number above zero."""
    value = integer(text)
    if value < 1:
        raise ValueError(f"'{text}' is not above zero")
    return value


def number(text: str) -> float:
    """A finite number, exponents allowed."""
    value = float(text)
    if not isfinite(value) or "_" in text:
        raise ValueError(f"'{text}' is no finite number")
    return value


def boolean(text: str) -> bool:
    """``TRUE`` or ``FALSE``, whatever the case; ``1`` and ``0`` too."""
    match text.strip().lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ValueError(f"'{text}' is neither TRUE nor FALSE")


def word[W: str](*choices: W) -> Callable[[str], W]:
    """Parser of one of some words, compared without case, returned as spelled here.

    Examples
    --------
    >>> word("GetMap", "GetCapabilities")("getmap")
    'GetMap'
    """

    def parse(text: str) -> W:
        for choice in choices:
            if choice.lower() == text.strip().lower():
                return choice
        raise ValueError(f"'{text}' is none of {', '.join(choices)}")

    return parse


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) > 1 and len({value.strip().lower() for value in values}) > 1:
        raise InvalidParameter(
            f"the parameter {name} is given {len(values)} times with different values; "
            "give it once",
            subject=name,
        )
    return values[0]


def _parsed[T](name: str, value: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(value)
    except DatacubeError as error:
        if error.subject is None:
            error.subject = name
        raise
    except (ValueError, OverflowError) as error:
        raise InvalidParameter(
            f"the value '{value[:200]}' of {name} cannot be read: {_reason(error)}", subject=name
        ) from error


def _reason(error: Exception) -> str:
    text = str(error)
    return "a number is needed" if text.startswith("could not convert string") else text[:300]
