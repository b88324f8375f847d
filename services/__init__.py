"""The doors: protocols that decode a request, ask the engine once, and encode its answer."""
