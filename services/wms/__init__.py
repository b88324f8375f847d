"""Web Map Service 1.1.1 (01-068r3) and 1.3.0 (06-042); a version is a module with a ``Version``."""
