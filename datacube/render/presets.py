"""What a field is likely to show: its usual colour map and range, by CF name and unit."""

import re
from dataclasses import dataclass

from datacube.model.fields import Field
from datacube.render.units import unit_of


@dataclass(frozen=True, slots=True)
class Preset:
    """Usual colours of a kind of field.

    Parameters
    ----------
    words : str
        Regular expression that the standard name, name or title begins or ends with; empty is any.
    quantity : str
        Of :func:`datacube.render.units.unit_of`; empty is any.
    colormap : str
    low, high : float, optional
        In the quantity's own unit.
    log : bool
    centred : bool
        Zero lies in the middle, whatever the range.
    elastic : bool
        The range differs so much between cubes that measured statistics go before it.
    difference : bool
        Values are differences: a unit's offset does not count.
    """

    words: str
    quantity: str
    colormap: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    centred: bool = False
    elastic: bool = False
    difference: bool = False

    def fits(self, field: Field) -> bool:
        """Whether the field is of this kind."""
        unit = unit_of(field.uom)
        if self.quantity and (unit is None or unit.quantity != self.quantity):
            return False
        texts = (field.standard_name, field.name, field.title.replace(" ", "_"))
        return any(re.search(self.words, text.lower()) for text in texts if text)

    def range_in(self, uom: str) -> tuple[float, float] | None:
        """The range in a unit, where there is one."""
        if self.low is None or self.high is None:
            return None
        unit = unit_of(uom)
        if unit is None:
            return self.low, self.high
        if self.difference:
            return self.low / unit.factor, self.high / unit.factor
        return unit.own(self.low), unit.own(self.high)


_QUALITY = re.compile(r"(^|_)(qa|qc|qi|bqa|dqf|flags?|quality|mask)(_|$)")
# The first that fits is taken.
PRESETS: tuple[Preset, ...] = (
    Preset("anomaly|difference|bias", "", "balance", centred=True, elastic=True),
    Preset(r"brightness_temperature", "temperature", "gray_r", -80, 30),
    Preset(r"sea_(surface|water)|sst|^tos$|thetao|^sea", "temperature", "thermal", -2, 32),
    Preset("", "temperature", "RdYlBu_r", -40, 40, elastic=True),
    Preset(
        r"(east|north)ward_sea_water|^[uv]o$|^water_[uv]$|sea_water_[xy]_velocity",
        "speed",
        "balance",
        -1.5,
        1.5,
        centred=True,
    ),
    Preset(
        r"(east|north)ward_wind|[xy]_wind|^[uv](10|100)?m?$|^[uv]as?$|^[uv]_component",
        "speed",
        "RdBu_r",
        -30,
        30,
        centred=True,
        elastic=True,
    ),
    Preset(r"upward_air_velocity|^w(ap)?$", "speed", "RdBu_r", -1, 1, centred=True),
    Preset(r"lagrangian_tendency|^omega$", "", "RdBu_r", -2, 2, centred=True),
    Preset(r"sea_water_speed|current", "speed", "speed", 0, 2),
    Preset(r"wind|speed|gust", "speed", "viridis", 0, 30),
    Preset(r"rain|precip|^pr$|^tp$|^prcp$", "rain rate", "YlGnBu", 0, 50),
    Preset(r"rain|precip|^tp$|^prcp$", "rain", "YlGnBu", 0, 50),
    Preset(r"rain|precip|^tp$|snowfall", "length", "YlGnBu", 0, 0.05),
    Preset(r"cloud|^tcc$|^clt$", "fraction", "gray", 0, 1),
    Preset(r"ice|^siconc$", "fraction", "ice", 0, 1),
    Preset(r"relative_humidity|^r$|^hurs?$", "fraction", "YlGnBu", 0, 1),
    Preset(r"specific_humidity|^q$|^hus$", "", "YlGnBu", 0, 0.02, elastic=True),
    Preset(r"chl", "", "algae", 0.03, 30, log=True),
    Preset(r"suspended|^spm$|^tsm$", "concentration", "turbid", 100, 100_000, log=True),
    Preset(r"suspended|turbid|^spm$|^tur$|^tsm$", "", "turbid", 0.1, 100, log=True),
    Preset(r"salin|^so$|^sss$", "", "haline", 30, 39),
    Preset(r"oxygen|^o2$", "", "oxy", elastic=True),
    Preset(r"mean_sea_level|^mslp?$|^prmsl$|^psl$", "pressure", "Spectral_r", 970, 1040),
    Preset("", "pressure", "Spectral_r", 500, 1050, elastic=True),
    Preset(r"geopotential|^gh$|^zg?$", "", "viridis", elastic=True),
    Preset(
        r"sea_surface_height|^zeta$|^zos$|^ssh$|^sla$", "length", "balance", -1, 1, centred=True
    ),
    Preset(r"wave|^swh$|^hs$", "length", "tempo", 0, 8),
    Preset(r"relief|bathymetr|etopo|gebco", "", "topo", centred=True, elastic=True),
    Preset(r"altitude|elevation|orography|topography|^dem$", "length", "terrain", elastic=True),
    Preset(r"^[vh][vh]$|backscatter|^(sigma|gamma|beta)_?(nought|0)", "", "gray", elastic=True),
    Preset(r"ndvi|vegetation_index|^evi$", "", "RdYlGn", -0.2, 0.9),
    Preset(r"reflectance|^b\d\d?a?$", "", "gray", 0, 0.4),
    Preset(r"", "concentration", "YlOrBr", elastic=True),
)


def is_quality(field: Field) -> bool:
    """Whether a field says how good others are, not what they are."""
    texts = (field.name, field.standard_name)
    return any(_QUALITY.search(text.lower()) for text in texts)


def preset_of(field: Field) -> Preset | None:
    """The first preset that fits a field; none fits a quality.

    Examples
    --------
    >>> preset_of(Field("t2m", "float32", uom="K")).colormap
    'RdYlBu_r'
    >>> preset_of(Field("v", "int32")) is None
    True
    """
    if is_quality(field):
        return None
    return next((preset for preset in PRESETS if preset.fits(field)), None)
