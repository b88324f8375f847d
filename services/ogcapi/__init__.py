"""OGC API: pygeoapi's documents, and our own routes for coverages and maps."""
