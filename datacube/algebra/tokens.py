"""The words of band maths: numbers, names and signs, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datacube.algebra.nodes import Position
from datacube.errors import InvalidExpression

CONNECTIVES = frozenset(("and", "or", "xor", "not"))
CONSTANTS = frozenset(("true", "false", "nodata"))
RESERVED = CONNECTIVES | CONSTANTS

_SAME = {"**": "^", "&&": "and", "||": "or", "!": "not"}
_MEANT = {"=": "'=='", "<>": "'!='", "&": "'and', or bitand(x, mask)", "|": "'or'", "~": "'not'"}
_WORD = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | "(?P<quoted>[^"]*)"
      | (?P<sign>\*\*|&&|\|\||==|!=|<=|>=|<(?!>)|[-+*/%^>!(),.?:])
      | (?P<wrong>""" + "|".join(re.escape(sign) for sign in _MEANT) + ")",
    re.VERBOSE | re.ASCII,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One word.

    Parameters
    ----------
    kind : str
    text : str
        A sign in its first spelling (``^`` for ``**``, ``and`` for ``&&``), a name without quotes.
    at : Position
    """

    kind: Literal["number", "name", "quoted", "sign", "end"]
    text: str
    at: Position

    def is_sign(self, sign: str) -> bool:
        """Whether it is that sign."""
        return self.kind == "sign" and self.text == sign

    @property
    def told(self) -> str:
        """The word for a message."""
        return "the end" if self.kind == "end" else f"'{plain(self.text)}'"


def plain(text: str) -> str:
    """Text that is safe in a message: at most 40 characters, all of them printable."""
    safe = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in text[:40])
    return safe + "…" * (len(text) > 40)


def is_plain_name(name: str) -> bool:
    """Whether a name may stand without quotes.

    Examples
    --------
    >>> is_plain_name("B8A"), is_plain_name("sea-ice"), is_plain_name("not")
    (True, False, False)
    """
    found = _WORD.fullmatch(name)
    return found is not None and found.lastgroup == "name" and name.lower() not in RESERVED


def tokens(text: str, *, subject: str | None = None) -> Iterator[Token]:
    """The words of a text; the last is of kind ``end``.

    Raises
    ------
    InvalidExpression
        A character that is no part of the language, or a quote that is not closed.

    Examples
    --------
    >>> [one.text for one in tokens('2 ** "sea-ice" ')]
    ['2', '^', 'sea-ice', '']
    """
    place, line, start = 0, 1, 0
    while place < len(text):
        at = Position(line, place - start + 1)
        found = _WORD.match(text, place)
        if found is None or found.lastgroup == "wrong":
            raise InvalidExpression(f"{at}: {_strange(text[place:])}", subject=subject)
        if (kept := _token(found, at)) is not None:
            yield kept
        if breaks := found.group().count("\n"):
            line, start = line + breaks, place + found.group().rindex("\n") + 1
        place = found.end()
    yield Token("end", "", Position(line, place - start + 1))


def _token(found: re.Match[str], at: Position) -> Token | None:
    match found.lastgroup:
        case "number":
            return Token("number", found.group(), at)
        case "quoted":
            return Token("quoted", found.group("quoted"), at)
        case "name" if (word := found.group()).lower() not in CONNECTIVES:
            return Token("name", word, at)
        case "name" | "sign":
            word = found.group().lower()
            return Token("sign", _SAME.get(word, word), at)
        case _:
            return None


def _strange(rest: str) -> str:
    if rest[0] == '"':
        return "a quoted name is not closed; expected '\"'"
    for sign in ("<>", rest[0]):
        if rest.startswith(sign) and sign in _MEANT:
            return f"'{sign}' is no operator; did you mean {_MEANT[sign]}?"
    return (
        f"'{plain(rest[0])}' cannot stand here; expected a number, a field, a function or an "
        "operator (a name with other characters stands in double quotes)"
    )
