"""Coverages to files: GeoTIFF, CF NetCDF, CoverageJSON, and the registry that finds them."""
