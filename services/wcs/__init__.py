"""Web Coverage Service: versions 2.0.1, 1.1.0 to 1.1.2 and 1.0.0."""
