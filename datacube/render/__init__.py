"""From values to pictures: styles, colour maps, painting, legends and image formats.

Pure numpy over arrays that are given; nothing here knows where values come from. A style is one
of the types of :mod:`datacube.render.style`; :func:`datacube.render.paint.paint` makes a picture
of it, :func:`datacube.render.composite.over` lays one over another, and
:func:`datacube.render.encode.encode` makes bytes. Matplotlib is imported only where one of its
colour maps is first asked for.
"""
