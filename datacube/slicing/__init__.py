"""Index planning and pixel arithmetic; numpy and pyproj only, no I/O.

From a query to indexes (:mod:`select`, :mod:`level`, :mod:`warp`), from indexes to the chunks
that hold them (:mod:`plan`), from chunks to one array (:mod:`gather`),
from the arrays of many steps to one (:mod:`periods`, :mod:`reduce`).
"""
