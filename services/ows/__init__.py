"""What the OGC protocols share: parameters, reports, documents, URLs, caching; no web framework."""
