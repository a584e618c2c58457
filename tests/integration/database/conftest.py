from __future__ import annotations

from tests.support.databases import mariadb_server, migrated_mariadb, migrated_sqlite

__all__ = ["mariadb_server", "migrated_mariadb", "migrated_sqlite"]
