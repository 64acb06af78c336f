"""`/docs`: the API explorer, served from an installed package; nothing is fetched from elsewhere."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

HERE = Path(__file__).resolve().parent.parent / "docs"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/docs")
def docs() -> Response:
    """The explorer."""
    headers = {"Content-Security-Policy": POLICY}
    return Response((HERE / "page.html").read_bytes(), media_type="text/html", headers=headers)


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """One of its files."""
    if name not in ASSETS:
        raise HTTPException(404)
    path = HERE / name if name == "start.js" else _package() / name
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(path.read_bytes(), media_type=ASSETS[name], headers=headers)


@cache
def _package() -> Path:
    # The package is only a carrier of the explorer's files; importing it is not needed.
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise HTTPException(404)
    return Path(spec.submodule_search_locations[0]) / "static"
