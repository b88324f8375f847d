"""The same 20 kB for every request: how fast the HTTP server itself is."""

BODY = bytes(range(256)) * 80
HEADERS = [(b"content-type", b"image/png"), (b"content-length", str(len(BODY)).encode())]


async def app(scope, _receive, send):
    """ASGI."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
