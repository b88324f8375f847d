"""``/tiles``: pictures and values by layer, style, set and place, and TileJSON 3 for web maps."""
