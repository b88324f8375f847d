"""Measures: seeded data sets, workloads W1 to W8, the server and its peers side by side."""
