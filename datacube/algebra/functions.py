"""The functions that expressions know, and the rules for the types of values."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

type Target = Literal[
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"
]
type Kind = Target | Literal["number", "nothing"]
type Rule = Literal["number", "choice", "test"]

TARGETS: tuple[Target, ...] = get_args(Target.__value__)
ALIASES = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "ceiling": "ceil",
    "if": "where",
}  # fmt: skip

_WIDE = frozenset(("float64", "int32", "uint32"))
_DTYPES: dict[Kind, np.dtype[np.generic]] = {
    "number": np.dtype(np.float64),
    "nothing": np.dtype(np.float64),
    **{target: np.dtype(target) for target in TARGETS},
}
_LOOSE = frozenset(("number", "bool", "nothing"))


@dataclass(frozen=True, slots=True)
class Function:
    """A function of an expression.

    Parameters
    ----------
    name : str
    arguments : str
        Their names, as the documentation shows them.
    least, most : int
        How many there may be; most None is any number.
    meaning : str
    rule : how the type of the result follows
        number: arithmetic on the arguments; choice: one of them; test: bool.
    ufunc : numpy.ufunc, optional
        What computes it, folded from the left when there are more arguments than it takes.
    hides : bool
        Whether NaN or an infinity as argument may give a finite result.

    Examples
    --------
    >>> FUNCTIONS["clip"].signature
    'clip(x, low, high) takes 3 arguments'
    """

    name: str
    arguments: str
    least: int
    most: int | None
    meaning: str
    rule: Rule = "number"
    ufunc: np.ufunc | None = None
    hides: bool = False

    def takes(self, count: int) -> bool:
        """Whether it may be called with that many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def signature(self) -> str:
        """Name and arguments, in words for a message."""
        many = f"{self.least} or more" if self.most is None else f"{self.most}"
        plural = "" if many == "1" else "s"
        return f"{self.name}({self.arguments}) takes {many} argument{plural}"


def arithmetic(*kinds: Kind) -> Kind:
    """The type that arithmetic on values of these types is done in and gives.

    Examples
    --------
    >>> arithmetic("float32", "number"), arithmetic("uint8", "bool"), arithmetic("int32", "uint8")
    ('float32', 'float32', 'float64')
    """
    if any(kind in _WIDE for kind in kinds):
        return "float64"
    return "number" if all(kind in _LOOSE for kind in kinds) else "float32"


def choice(*kinds: Kind) -> Kind:
    """The type of a choice among values of these types: theirs, if they agree.

    Examples
    --------
    >>> choice("uint8", "uint8"), choice("uint8", "number"), choice("bool", "nothing")
    ('uint8', 'float32', 'bool')
    """
    some = {kind for kind in kinds if kind != "nothing"}
    return some.pop() if len(some) == 1 else arithmetic(*kinds)


def result(rule: Rule, kinds: tuple[Kind, ...]) -> Kind:
    """The type of a function's result from those of its arguments."""
    match rule:
        case "number":
            return arithmetic(*kinds)
        case "choice":
            return arithmetic(*kinds) if "bool" in kinds else choice(*kinds)
        case "test":
            return "bool"


def dtype_of(kind: Kind) -> np.dtype[np.generic]:
    """Numpy's dtype for a type; plain numbers are float64."""
    return _DTYPES[kind]


def field_kind(dtype: np.dtype[np.generic]) -> Kind:
    """The type that a field's values of this dtype have in an expression.

    Examples
    --------
    >>> field_kind(np.dtype("int16")), field_kind(np.dtype("int32")), field_kind(np.dtype(bool))
    ('float32', 'float64', 'bool')
    """
    if dtype.kind == "b":
        return "bool"
    narrow = 4 if dtype.kind == "f" else 2
    return "float32" if dtype.itemsize <= narrow else "float64"


def _plain(name: str, ufunc: np.ufunc, meaning: str, *, hides: bool = False) -> Function:
    return Function(name, "x", 1, 1, meaning, ufunc=ufunc, hides=hides)


def _table(*functions: Function) -> dict[str, Function]:
    return {one.name: one for one in functions}


FUNCTIONS = _table(
    _plain("abs", np.absolute, "Absolute value."),
    _plain("sign", np.sign, "-1, 0 or 1.", hides=True),
    _plain("sqrt", np.sqrt, "Square root."),
    _plain("cbrt", np.cbrt, "Cube root."),
    _plain("exp", np.exp, "e to the power of x.", hides=True),
    _plain("log", np.log, "Natural logarithm; also `ln`."),
    _plain("log10", np.log10, "Logarithm to base 10."),
    _plain("log2", np.log2, "Logarithm to base 2."),
    _plain("sin", np.sin, "Sine of an angle in radians."),
    _plain("cos", np.cos, "Cosine of an angle in radians."),
    _plain("tan", np.tan, "Tangent of an angle in radians."),
    _plain("asin", np.arcsin, "Angle in radians; also `arcsin`."),
    _plain("acos", np.arccos, "Angle in radians; also `arccos`."),
    _plain("atan", np.arctan, "Angle in radians; also `arctan`.", hides=True),
    _plain("sinh", np.sinh, "Hyperbolic sine."),
    _plain("cosh", np.cosh, "Hyperbolic cosine."),
    _plain("tanh", np.tanh, "Hyperbolic tangent.", hides=True),
    _plain("degrees", np.degrees, "Radians in degrees."),
    _plain("radians", np.radians, "Degrees in radians."),
    _plain("floor", np.floor, "The next whole number below."),
    _plain("ceil", np.ceil, "The next whole number above; also `ceiling`."),
    _plain("round", np.rint, "The nearest whole number; halves go to the even one."),
    _plain("trunc", np.trunc, "The whole number towards zero."),
    Function("atan2", "y, x", 2, 2, "Angle in radians of the point (x, y).", "number",
             np.arctan2, hides=True),
    Function("hypot", "x, y", 2, 2, "`sqrt(x^2 + y^2)`, without overflow.", "number", np.hypot),
    Function("min", "x, y, …", 2, None, "The smallest.", "choice", np.minimum, hides=True),
    Function("max", "x, y, …", 2, None, "The largest.", "choice", np.maximum, hides=True),
    Function("clip", "x, low, high", 3, 3, "`min(max(x, low), high)`.", "choice", hides=True),
    Function("bitand", "x, mask", 2, 2, "The bits that are set in both whole numbers.", "number",
             hides=True),
    Function("isin", "x, a, b, …", 2, None, "Whether x equals one of the others.", "test",
             hides=True),
    Function("valid", "x", 1, 1, "Whether there is data; itself always valid.", "test",
             hides=True),
    Function("isnan", "x", 1, 1, "`not valid(x)`.", "test", hides=True),
)  # fmt: skip
