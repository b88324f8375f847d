"""``/times``: the times of a cube for calendars and sliders, and word of their changes."""
