"""The application: every end point of one store behind one ASGI callable.

``routes`` says which path is whose, ``edge`` what HTTP is (CORS, compression, forwarded headers,
limits), ``asgi`` joins the two and makes the application, ``metrics`` counts, ``process`` answers
and ``serve`` begins the processes.
"""
