"""Web Map Service: 1.3.0 (06-042); a version is one module that makes a ``Version``."""
