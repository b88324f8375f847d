"""Web Coverage Service: version 2.0.1."""
