"""What every command of the command line works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from factoryops.database.database import Database
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.plant import Factory
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.snapshot_file import write_snapshot
from factoryops.server import bootstrap
from factoryops.server.settings import Settings, data_folder, load_settings


@dataclass(frozen=True, slots=True)
class Context:
    """The chosen settings file.

    Attributes:
        file: None for the embedded defaults.
    """

    file: Path | None

    def settings(self) -> Settings:
        """The settings, checked."""
        return load_settings(self.file)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The metadata database of a prepared installation; what was changed reaches ingest at the end."""
        settings = self.settings()
        folder = data_folder(settings)
        key = load_or_create_instance_key(folder.instance_key)
        database = bootstrap.open_database(settings)
        try:
            database.migrate()
            yield database
            write_snapshot(database, folder.snapshot, key)
        finally:
            database.close()


def context_of(context: typer.Context) -> Context:
    """Our context inside typer's."""
    if not isinstance(context.obj, Context):
        raise InvalidInputError("The command was started without its settings.")
    return context.obj


def choose_factory(database: Database, slug: str | None) -> Factory:
    """The factory of `slug`, or the only one there is.

    Raises:
        NotFoundError: there is none, or none of that slug.
        InvalidInputError: there are several and none was named.
    """
    factories = database.read(lambda tx: tx.factories.list())
    if slug is not None:
        for factory in factories:
            if factory.slug == slug:
                return factory
        known = ", ".join(factory.slug for factory in factories) or "none yet"
        raise NotFoundError(f"There is no factory {slug} (known: {known}). Add it with: factory add {slug}")
    if not factories:
        raise NotFoundError("There is no factory yet. Add one with: factory add SLUG")
    if len(factories) > 1:
        raise InvalidInputError("There are several factories; say which with --factory.")
    return factories[0]
