"""The engine: one function for each kind of request.

==================================  ======================================================
:func:`~datacube.engine.map.render_map`          maps and tiles
:func:`~datacube.engine.coverage.get_coverage`   parts of coverages
:func:`~datacube.engine.sample.get_samples`      values at a place
:func:`~datacube.engine.legend.shown_style`      what legends are drawn of
==================================  ======================================================

All take the :class:`~datacube.engine.context.Context` that is made once.
"""
