"""Interactive documentation without the internet: its page here, its scripts from a package, all from 'self'."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

PATH = "/docs"
ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "start.js": "text/javascript"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI styles what it draws inline; no script is, and nothing comes from elsewhere."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mainsequence-platform</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: false,
  validatorUrl: null, presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""


def routes() -> list[Route]:
    """Give the page and what it loads."""
    return [Route(PATH, _page, methods=["GET"]), Route(f"{PATH}/{{name}}", _asset, methods=["GET"])]


def _page(_request: Request) -> Response:
    return Response(PAGE, headers={"Content-Security-Policy": POLICY}, media_type="text/html")


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    if name not in ASSETS:
        raise HTTPException(404)
    if name == "start.js":
        return Response(START, headers=headers, media_type=ASSETS[name])
    return FileResponse(_folder() / name, headers=headers, media_type=ASSETS[name])


@cache
def _folder() -> Path:
    # Found, not imported: the package also patches applications, which is not wanted here.
    found = find_spec("fastapi_offline")
    if found is None or found.origin is None:
        raise HTTPException(404)
    return Path(found.origin).with_name("static")
