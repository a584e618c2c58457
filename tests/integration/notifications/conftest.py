from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.databases import migrated_sqlite
from tests.support.mail_server import MailServerStub
from tests.support.notified_site import NotifiedSite

__all__ = ["migrated_sqlite"]


@pytest.fixture
def told(tmp_path: Path, migrated_sqlite: Path) -> Iterator[NotifiedSite]:
    shutil.copy(migrated_sqlite, tmp_path / "factoryops.db")
    site = NotifiedSite(tmp_path)
    yield site
    site.database.close()


@pytest.fixture
async def mail() -> AsyncIterator[MailServerStub]:
    server = MailServerStub()
    await server.start()
    yield server
    await server.stop()
