"""Spellings of units: which quantity they measure, and how they convert."""

import re
from dataclasses import dataclass
from functools import lru_cache

# quantity: {spelling: (factor, offset)}; value in the first unit = value * factor + offset
_UNITS: dict[str, dict[str, tuple[float, float]]] = {
    "temperature": {
        "degc": (1.0, 0.0),
        "c": (1.0, 0.0),
        "k": (1.0, -273.15),
        "degf": (5 / 9, -160 / 9),
        "f": (5 / 9, -160 / 9),
    },
    "speed": {
        "m s-1": (1.0, 0.0),
        "cm s-1": (0.01, 0.0),
        "km h-1": (1 / 3.6, 0.0),
        "kn": (0.514444, 0.0),
        "kt": (0.514444, 0.0),
    },
    "rain rate": {
        "mm day-1": (1.0, 0.0),
        "mm d-1": (1.0, 0.0),
        "mm h-1": (24.0, 0.0),
        "kg m-2 s-1": (86400.0, 0.0),
        "mm s-1": (86400.0, 0.0),
    },
    "rain": {"mm": (1.0, 0.0), "kg m-2": (1.0, 0.0), "cm": (10.0, 0.0)},
    "length": {"m": (1.0, 0.0), "gpm": (1.0, 0.0), "km": (1000.0, 0.0)},
    "pressure": {"hpa": (1.0, 0.0), "mbar": (1.0, 0.0), "mb": (1.0, 0.0), "pa": (0.01, 0.0)},
    "fraction": {"1": (1.0, 0.0), "": (1.0, 0.0), "%": (0.01, 0.0)},
    "concentration": {
        "mg m-3": (1.0, 0.0),
        "g m-3": (1e3, 0.0),
        "ug m-3": (1e-3, 0.0),
        "kg m-3": (1e6, 0.0),
        "ug l-1": (1.0, 0.0),
    },
    "geopotential": {"m2 s-2": (1.0, 0.0)},
    "salinity": {"psu": (1.0, 0.0), "pss": (1.0, 0.0), "g kg-1": (1.0, 0.0), "1e-3": (1.0, 0.0)},
    "turbidity": {"fnu": (1.0, 0.0), "ftu": (1.0, 0.0), "ntu": (1.0, 0.0)},
}
_WORDS = {
    r"\b(kelvins?|degrees?_?kelvin|degk|deg_k)\b": "k",
    r"\b(celsius|degrees?_?celsius|degrees?_?c|deg_c|deg c)\b|°c": "degc",
    r"\b(degrees?_?fahrenheit|degrees?_?f|deg_f)\b|°f": "degf",
    r"\b(met(er|re)s?)\b": "m",
    r"\b(seconds?|sec)\b": "s",
    r"\b(hours?|hr)\b": "h",
    r"\b(knots?)\b": "kn",
    r"\b(millibars?)\b": "mbar",
    r"\b(percent(age)?)\b": "%",
    r"\b(milligrams?)\b": "mg",
    r"µ|μ|\b(micro)": "u",
    r"⁻¹": "-1",
    r"\bms-1\b": "m s-1",
}
_SAME = {  # further words of units whose quantity does not matter here
    "cel": "degc",
    "hectopascal": "hpa",
    "pascal": "pa",
    "watt": "w",
    "joule": "j",
    "newton": "n",
    "gram": "g",
    "kilogram": "kg",
    "litre": "l",
    "liter": "l",
    "mole": "mol",
    "day": "d",
    "minute": "min",
    "degree": "deg",
    "°": "deg",
    "radian": "rad",
}
_PREFIXED = re.compile(r"\b[mM](?!ol|in)[A-Za-z]{1,3}\b")  # mega or milli: MPa is not mPa
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit measures: value in the quantity's own unit = value * factor + offset."""

    quantity: str
    factor: float
    offset: float

    def own(self, value: float) -> float:
        """A value of the quantity's own unit (°C, m/s, hPa, mm …) in this unit."""
        return (value - self.offset) / self.factor


@lru_cache(maxsize=512)
def unit_of(uom: str) -> Unit | None:
    """Quantity and conversion of a unit, however it is spelt; None where it is not known.

    Examples
    --------
    >>> unit_of("m s**-1") == unit_of("m/s") == unit_of("meters s-1")
    True
    >>> round(unit_of("kelvin").own(20.0), 2)
    293.15
    """
    plain = _plain(uom)
    for quantity, spellings in _UNITS.items():
        if plain in spellings:
            return Unit(quantity, *spellings[plain])
    return None


def same_unit(one: str, other: str) -> bool:
    """Whether two spellings mean one unit, so that numbers in it are the same.

    Examples
    --------
    >>> same_unit("W m**-2", "W/m²"), same_unit("degrees_Celsius", "Cel"), same_unit("hPa", "mbar")
    (True, True, True)
    >>> same_unit("K", "degC"), same_unit("1", "%"), same_unit("mPa", "MPa"), same_unit("m", "s")
    (False, False, False, False)
    """
    found = [_PREFIXED.findall(text) for text in (one, other)]
    marks = [{word.lower(): word[0] for word in words} for words in found]
    if any(marks[0][name] != marks[1][name] for name in marks[0].keys() & marks[1].keys()):
        return False
    factors = [_factors(text) for text in (one, other)]
    known = [unit_of(" ".join(found)) for found in factors]
    return known[0] == known[1] if None not in known else sorted(factors[0]) == sorted(factors[1])


def _factors(uom: str) -> list[str]:
    """The factors of a unit with their powers, each in one spelling."""
    text = re.sub(r"\{[^}]*\}", "", uom.translate(_DIGITS))  # UCUM's notes
    text = re.sub(r"/\s*\(([^()]*)\)", lambda below: "/" + "/".join(below[1].split()), text)
    parts = [re.fullmatch(r"(.*?)(-?\d*)", one) for one in _plain(text).split()]
    words = [(_word(one[1]) or one[1]) + one[2] for one in parts if one]
    return [one for one in words if one != "1"] or words[:1]


def _word(name: str) -> str | None:
    return _SAME.get(name) or _SAME.get(name.removesuffix("s"))


def _plain(uom: str) -> str:
    text = uom.strip().lower().replace("**", "").replace("^", "").replace("*", " ")
    for spelling, word in _WORDS.items():
        text = re.sub(spelling, word, text)
    text = re.sub(r"/\s*([a-z]+)(\d?)", lambda found: f" {found[1]}-{found[2] or 1}", text)
    return re.sub(r"[\s.·]+", " ", text).strip()


def show_unit(uom: str) -> str:
    """A unit as one prints it: powers raised, degrees with their sign.

    Examples
    --------
    >>> show_unit("kg m**-2 s-1"), show_unit("degrees_celsius"), show_unit("1")
    ('kg m⁻² s⁻¹', '°C', '')
    """
    unit = unit_of(uom)
    if unit is not None and unit.quantity == "temperature":
        return {1.0: "K" if unit.offset else "°C"}.get(unit.factor, "°F")
    if uom.strip() in {"", "1"}:
        return ""
    text = uom.strip().replace("**", "").replace("^", "")
    return re.sub(r"(?<=[A-Za-z])-?\d+\b", lambda found: found[0].translate(_SUPERSCRIPTS), text)
