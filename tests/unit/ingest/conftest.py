"""The same S3 server as for the contracts."""

from tests.contracts.conftest import s3_server, s3_store

__all__ = ["s3_server", "s3_store"]
