"""Band maths in text, such as ``(B08 - B04) / (B08 + B04)``, to trees.

The grammar is a whitelist read by precedence; nothing is ever handed to Python. Weakest first::

    value   := choice
    choice  := or ["?" value ":" value]
    or      := xor ("or" xor)*            also ||
    xor     := and ("xor" and)*
    and     := not ("and" not)*           also &&
    not     := "not" not | compare        also !
    compare := sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum     := product (("+" | "-") product)*
    product := minus (("*" | "/" | "%") minus)*
    minus   := ("-" | "+") minus | power
    power   := atom ["^" minus]           also **
    atom    := number | "true" | "false" | "nodata" | [name "."] name
             | function "(" value ("," value)* ")" | "(" value ")"
"""

import math
from difflib import get_close_matches
from typing import cast

from datacube.algebra.functions import ALIASES, FUNCTIONS, TARGETS, Target
from datacube.algebra.nodes import (
    MAX_BIT,
    MAX_DEPTH,
    Arithmetic,
    Binary,
    BitTest,
    Call,
    Cast,
    Comparison,
    Connective,
    FieldRef,
    Logic,
    NoData,
    Node,
    Number,
    Position,
    Relation,
    Truth,
    Unary,
    Where,
    bounded,
)
from datacube.algebra.tokens import CONSTANTS, Token, plain, tokens
from datacube.errors import InvalidExpression

MAX_LENGTH = 2000
STRENGTH = {
    "or": 1, "xor": 2, "and": 3,
    "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "!=": 5,
    "+": 6, "-": 6, "*": 7, "/": 7, "%": 7,
}  # fmt: skip
NOT, COMPARE = 4, 5

_NESTED = MAX_DEPTH + 10  # brackets and powers that may stand open while reading
_FORMS: dict[str, tuple[str, int]] = {  # what else is called: its arguments, how many
    "where": ("condition, yes, no", 3), "bit": ("x, n", 2), "pow": ("x, y", 2), "mod": ("x, y", 2),
    **dict.fromkeys(TARGETS, ("x", 1)),
}  # fmt: skip
_VALUE = "expected a number, a field, a function or '('"


def parse(text: str, *, subject: str | None = None) -> Node:
    """The tree of a text.

    Parameters
    ----------
    text : str
        At most MAX_LENGTH characters.
    subject : str, optional
        What the user calls the text (a parameter), for errors.

    Raises
    ------
    InvalidExpression
        The text is none of the language, or too large; the message begins with line and column.

    Examples
    --------
    >>> parse("B08 / 2")
    Binary(op='/', left=FieldRef(name='B08', cube=None), right=Number(value=2.0))
    >>> parse("B08 /* 2")
    Traceback (most recent call last):
    datacube.errors.InvalidExpression: line 1, column 6: expected a number, a field, a function or \
'(', found '*'
    """
    if len(text) > MAX_LENGTH:
        raise InvalidExpression(
            f"the expression has {len(text)} characters; at most {MAX_LENGTH} are allowed",
            subject=subject,
        )
    return bounded(_Reader(tuple(tokens(text, subject=subject)), subject).whole(), subject=subject)


class _Reader:
    """Reads the words from left to right."""

    def __init__(self, words: tuple[Token, ...], subject: str | None) -> None:
        self.words = words
        self.subject = subject
        self.place = 0
        self.open = 0

    @property
    def word(self) -> Token:
        return self.words[self.place]

    def wrong(self, at: Position, message: str) -> InvalidExpression:
        return InvalidExpression(f"{at}: {message}", subject=self.subject)

    def sign(self, *signs: str) -> Token | None:
        """Take one of these signs, if it is next."""
        word = self.word
        if word.kind == "sign" and word.text in signs:
            self.place += 1
            return word
        return None

    def expect(self, sign: str, otherwise: str) -> None:
        if self.sign(sign) is None:
            raise self.wrong(self.word.at, f"expected {otherwise}, found {self.word.told}")

    def enter(self) -> None:
        self.open += 1
        if self.open > _NESTED:
            raise self.wrong(
                self.word.at, f"nested too deep; at most {MAX_DEPTH} levels are allowed"
            )

    def whole(self) -> Node:
        tree = self.value()
        if self.word.kind != "end":
            raise self.wrong(
                self.word.at, f"expected an operator or the end, found {self.word.told}"
            )
        return tree

    def value(self) -> Node:
        self.enter()
        tree = self.operation(1)
        if (asked := self.sign("?")) is not None:
            yes = self.value()
            self.expect(":", "':' and the other value")
            tree = Where(tree, yes, self.value(), at=asked.at)
        self.open -= 1
        return tree

    def operation(self, least: int) -> Node:
        """Operands joined by operators that bind at least so strongly."""
        left = self.contrary(least) if self.word.is_sign("not") else self.minus()
        while (found := self.operator(least)) is not None:
            level = STRENGTH[found.text]
            left = _joined(found, left, self.operation(level + 1))
            if level == COMPARE and self.operator(COMPARE, COMPARE) is not None:
                raise self.wrong(found.at, "comparisons do not chain; join two of them with 'and'")
        return left

    def operator(self, least: int, most: int = 9) -> Token | None:
        word = self.word
        level = STRENGTH.get(word.text, 0) if word.kind == "sign" else 0
        return self.sign(word.text) if least <= level <= most else None

    def contrary(self, least: int) -> Node:
        if least > NOT:
            raise self.wrong(self.word.at, "'not' after an operator stands in brackets: (not …)")
        nots = []
        while (found := self.sign("not")) is not None:
            nots.append(found.at)
        tree = self.operation(COMPARE)
        for at in reversed(nots):
            tree = Unary("not", tree, at=at)
        return tree

    def minus(self) -> Node:
        minuses = []
        while (found := self.sign("-", "+")) is not None:
            if found.text == "-":
                minuses.append(found.at)
        tree = self.power()
        for at in reversed(minuses):
            tree = Unary("-", tree, at=at)
        return tree

    def power(self) -> Node:
        base = self.atom()
        if (found := self.sign("^")) is None:
            return base
        self.enter()
        exponent = self.minus()
        self.open -= 1
        return Binary("^", base, exponent, at=found.at)

    def atom(self) -> Node:
        word = self.word
        self.place += word.kind != "end"
        match word.kind:
            case "number":
                return self.number(word)
            case "name" if self.word.is_sign("("):
                return self.call(word)
            case "name" if word.text.lower() in CONSTANTS and not self.word.is_sign("."):
                return _constant(word)
            case "name" | "quoted":
                return self.field(word)
            case "sign" if word.text == "(":
                tree = self.value()
                self.expect(")", "an operator or ')'")
                return tree
            case _:
                raise self.wrong(word.at, f"{_VALUE}, found {word.told}")

    def number(self, word: Token) -> Node:
        value = float(word.text)
        if not math.isfinite(value):
            raise self.wrong(word.at, f"{word.told} is too large a number")
        return Number(value, at=word.at)

    def field(self, word: Token) -> Node:
        if self.sign(".") is None:
            return self.reference(word, None, word)
        name = self.word
        if name.kind not in {"name", "quoted"}:
            raise self.wrong(name.at, f"expected the name of a field of '{plain(word.text)}'")
        self.place += 1
        return self.reference(word, word.text, name)

    def reference(self, word: Token, cube: str | None, name: Token) -> Node:
        try:
            return FieldRef(name.text, cube, at=word.at)
        except ValueError:
            message = "a name is not empty and has printable characters only"
            raise self.wrong(word.at, message) from None

    def call(self, word: Token) -> Node:
        name = ALIASES.get(word.text.lower(), word.text.lower())
        if name not in FUNCTIONS and name not in _FORMS:
            raise self.wrong(word.at, f"there is no function {word.told}; {_known(name)}")
        self.place += 1
        places = [self.word.at]
        arguments = [] if self.word.is_sign(")") else [self.value()]
        while arguments and self.sign(",") is not None:
            places.append(self.word.at)
            arguments.append(self.value())
        self.expect(")", "an operator, ',' or ')'" if arguments else "')'")
        if (problem := _miscalled(name, len(arguments))) is not None:
            raise self.wrong(word.at, problem)
        return self.called(name, tuple(arguments), word.at, places[-1])

    def called(self, name: str, given: tuple[Node, ...], at: Position, last: Position) -> Node:
        match name:
            case "where":
                return Where(*given, at=at)
            case "pow" | "mod":
                return Binary("^" if name == "pow" else "%", *given, at=at)
            case "bit":
                return BitTest(given[0], self.bit(given[1], last), at=at)
            case _ if name in FUNCTIONS:
                return Call(name, given, at=at)
            case _:
                return Cast(cast("Target", name), given[0], at=at)

    def bit(self, number: Node, at: Position) -> int:
        match number:
            case Number(value) if value in range(MAX_BIT + 1):
                return int(value)
            case _:
                raise self.wrong(at, f"expected the number of a bit, 0 to {MAX_BIT}")


def _joined(sign: Token, left: Node, right: Node) -> Node:
    level = STRENGTH[sign.text]
    if level < COMPARE:
        return Logic(cast("Connective", sign.text), left, right, at=sign.at)
    if level == COMPARE:
        return Comparison(cast("Relation", sign.text), left, right, at=sign.at)
    return Binary(cast("Arithmetic", sign.text), left, right, at=sign.at)


def _constant(word: Token) -> Node:
    text = word.text.lower()
    return NoData(at=word.at) if text == "nodata" else Truth(text == "true", at=word.at)


def _miscalled(name: str, count: int) -> str | None:
    if name in FUNCTIONS:
        fits, signature = FUNCTIONS[name].takes(count), FUNCTIONS[name].signature
    else:
        arguments, wanted = _FORMS[name]
        fits = count == wanted
        signature = f"{name}({arguments}) takes {wanted} argument{'s' * (wanted > 1)}"
    return None if fits else f"{signature}, not {count}"


def _known(name: str) -> str:
    known = sorted({*FUNCTIONS, *ALIASES, *_FORMS})
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"the functions are {', '.join(known)}"
