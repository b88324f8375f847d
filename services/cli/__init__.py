"""The command line: ``datacube ingest | serve | ls | show | verify | config check | demo``."""

from services.cli.root import main

__all__ = ["main"]
