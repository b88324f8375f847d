"""The demo: real forecast and climate data, and a simulated Sentinel-2 series, as one store."""
