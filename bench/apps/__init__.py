"""Small applications that a benchmark serves: the bare prototype, a constant, the peers' own."""
