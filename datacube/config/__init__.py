"""Configuration: YAML files at the door, plain frozen settings inside.

:mod:`~datacube.config.settings` has the values that engine and services see;
:mod:`~datacube.config.load` reads files, with every finding of every file in one report.
"""
