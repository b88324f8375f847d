"""WCS 2.0.1: decoding of requests, documents, and its own refusals."""
