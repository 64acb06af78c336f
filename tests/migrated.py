"""A database as the migrations leave it, for tests that only stand on one: a copied file takes a tenth of migrating."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import make_url

from api.migrate import migrate


def migrated(url: str) -> None:
    """Give `url` the newest tables; a database that stands already, or another server's, is migrated."""
    parsed = make_url(url)
    file = Path(parsed.database or "")
    if parsed.get_backend_name() == "sqlite" and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_template(), file)
    else:
        migrate(url)


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="mayak-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "mayak.sqlite"
    migrate(f"sqlite:///{file}")
    return file
