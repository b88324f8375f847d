"""What requests may say beyond the standards: the parameters of this server, for people.

A test holds the list against the names that the services read.
"""

from dataclasses import dataclass

_MAPS = "Maps"
_DATA = "Maps, coverages"
_FILM = "WMS animation"
_LINES = "WMS series"
_LEGEND = "WMS legend"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of them.

    Parameters
    ----------
    name, where, meaning, example : str
    """

    name: str
    where: str
    meaning: str
    example: str


PARAMETERS = (
    Parameter(
        "AGG",
        _DATA,
        "Steps of a time range, or places of another axis, become one",
        "TIME=2070/2099&AGG=mean",
    ),
    Parameter("AGGREGATE", _DATA, "Another name of AGG", "TIME=2070/2099&AGGREGATE=mean"),
    Parameter(
        "PERIOD",
        _DATA,
        "With AGG: by hour, day, dekad, month, season, year, duration; a series has one value each",
        "AGG=max&PERIOD=P10Y",
    ),
    Parameter("WINDOW", _DATA, "With AGG: rolling, so many steps or so long", "AGG=mean&WINDOW=30"),
    Parameter(
        "OVER",
        "Coverages",
        "With AGG: the axes whose places become one",
        "AGG=max&OVER=depth",
    ),
    Parameter(
        "BY",
        _DATA,
        "What AGG=leastcloudy ranks the steps of a pixel by",
        "AGG=leastcloudy&BY=B02",
    ),
    Parameter(
        "EXPR",
        _MAPS,
        "Band maths in place of a field; cube.field is of another cube",
        "EXPR=(B08-B04)/(B08%2BB04)",
    ),
    Parameter("MASK", _MAPS, "Which cells are drawn: classes, bits or an expression", "MASK=v>0"),
    Parameter(
        "INTERPOLATION",
        _DATA,
        "Between cells: nearest, bilinear, cubic, average, mode …",
        "INTERPOLATION=bilinear",
    ),
    Parameter("PALETTE", _MAPS, "Another colour map; -inv turns it round", "PALETTE=thermal-inv"),
    Parameter(
        "COLORSCALERANGE",
        _MAPS,
        "Values at the ends of the colours, or auto; two numbers or auto for each layer",
        "COLORSCALERANGE=0,30",
    ),
    Parameter("NUMCOLORBANDS", _MAPS, "Colours in so many steps", "NUMCOLORBANDS=10"),
    Parameter("LOGSCALE", _MAPS, "Colours by the logarithm of the value", "LOGSCALE=true"),
    Parameter(
        "ABOVEMAXCOLOR",
        _MAPS,
        "Colour above the range: 0xRRGGBB, transparent or extend",
        "ABOVEMAXCOLOR=0xFF0000",
    ),
    Parameter("BELOWMINCOLOR", _MAPS, "Colour below the range", "BELOWMINCOLOR=transparent"),
    Parameter(
        "OPACITY", _MAPS, "Of a layer in percent, or of each layer in a list", "OPACITY=100,40"
    ),
    Parameter("DPI", _MAPS, "Lines, arrows and letters for so many dots an inch", "DPI=192"),
    Parameter("MAP_RESOLUTION", _MAPS, "The same as DPI", "MAP_RESOLUTION=192"),
    Parameter("FORMAT_OPTIONS", _MAPS, "The same as DPI", "FORMAT_OPTIONS=dpi:192"),
    Parameter(
        "ANIMATION", "WMS", "A frame for each time of a list or range", "ANIMATION=true&TIME=2020"
    ),
    Parameter("FPS", _FILM, "Frames a second", "FPS=4"),
    Parameter("HOLD", _FILM, "Seconds that the last frame stays longer", "HOLD=2"),
    Parameter("FADE", _FILM, "Seconds in which a frame passes into the next", "FADE=0.3"),
    Parameter("CAPTION", _FILM, "The time, or a text with {time}, on each frame", "CAPTION=true"),
    Parameter("LEGEND", _FILM, "The legend on each frame", "LEGEND=true"),
    Parameter("SERIES", "WMS GetFeatureInfo", "A value for each time", "SERIES=true&TIME=2020"),
    Parameter("LINESTRING", _LINES, "Of a transect, section, Hovmöller", "LINESTRING=8 50,9 51"),
    Parameter("CHART_WIDTH", _LINES, "Pixels of a chart", "CHART_WIDTH=1200"),
    Parameter("CHART_HEIGHT", _LINES, "Pixels of a chart", "CHART_HEIGHT=400"),
    Parameter("ITEM", "WMS GetMetadata", "menu, layerDetails, timesteps, minmax", "ITEM=minmax"),
    Parameter("DAY", "WMS GetMetadata", "Whose times ITEM=timesteps lists", "DAY=2020-01-01"),
    Parameter("COLORBARONLY", _LEGEND, "Only the bar of colours", "COLORBARONLY=true"),
    Parameter("VERTICAL", _LEGEND, "Whether that bar stands upright", "VERTICAL=false"),
    Parameter("ORIENTATION", _LEGEND, "The same for the whole legend", "ORIENTATION=horizontal"),
    Parameter(
        "LEGEND_OPTIONS",
        _LEGEND,
        "layout, fontSize, fontColor, bgColor, dpi",
        "LEGEND_OPTIONS=fontSize:14",
    ),
    Parameter("CUBE", "WMS, WMTS", "Capabilities of some cubes alone", "CUBE=sst"),
    Parameter("SELECTION", "Coverages", "Which cells a SUBSET takes", "SELECTION=inside"),
    Parameter(
        "COMPRESSION",
        "Coverages",
        "GeoTIFF or NetCDF that is smaller and takes longer",
        "COMPRESSION=deflate",
    ),
    Parameter("TIMES", "WCS", "Every time in descriptions, however many", "TIMES=full"),
    Parameter("VALUES", "Coverages", "raw as stored, or physical", "VALUES=physical"),
    Parameter("CLIP", "Coverages", "A polygon outside of which nothing is", "CLIP=POLYGON((…))"),
    Parameter("DRYRUN", "Coverages", "What the answer would be, without it", "DRYRUN=true"),
)
