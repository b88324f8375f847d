"""The application: every end point of one store behind one ASGI callable.

``routes`` says which path is whose, ``edge`` what HTTP is (CORS, compression, forwarded headers,
limits), ``asgi`` joins the two, ``metrics`` counts and ``serve`` runs the process.
"""

from services.app.asgi import Application, applications, create_app

__all__ = ["Application", "applications", "create_app"]
