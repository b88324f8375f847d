"""The values that everything here speaks of; numpy and pyproj only.

Glossary: term, where it comes from, its class.

================  ==========================  ====================================================
cube, coverage    CIS 1.1, WCS 2.0            :class:`~datacube.model.coverage.CoverageDescription`
domain set        CIS 1.1                     :class:`~datacube.model.domain.DomainSet`
grid              GML RectifiedGrid           :class:`~datacube.model.grid.RectifiedGrid`
axis              CIS 1.1                     :data:`~datacube.model.axis.Axis`
field, range      SWE Common, CIS 1.1         :class:`~datacube.model.fields.Field`
trim, slice       WCS 2.0                     :class:`~datacube.model.query.Trim`, ``Slice``
block             here                        :class:`~datacube.model.block.Block`
level, overview   GDAL, GeoZarr multiscales   :class:`~datacube.model.coverage.Level`
tile matrix set   OGC 17-083                  :class:`~datacube.model.tiling.TileMatrixSet`
snapshot          Iceberg, Icechunk           the name of a committed version of a cube
chunk             Zarr                        one compressed block of an array
granule           EO products                 :class:`datacube.ingest.source.Granule`
tick              here                        a millisecond since 1970 in a calendar
nil value         SWE Common                  the packed value that means no data
================  ==========================  ====================================================

Inside, x stands before y and longitude before latitude; arrays are (…, y, x).
"""
