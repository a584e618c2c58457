"""`influx`: buckets and tokens of the InfluxDB server that keeps the history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from factoryops.domain.plant import Factory
from factoryops.server.bootstrap import influx_config
from factoryops.server.console import say, show_table
from factoryops.server.context import Context, context_of
from factoryops.server.settings import data_folder, read_secret

if TYPE_CHECKING:
    from factoryops.history.influx.administration import Administration

AdminTokenFile = Annotated[
    Path | None,
    typer.Option(help="A file with an administrator's token; asked for when left out. It is used once and not kept."),
]


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="Buckets and tokens of the InfluxDB server.", no_args_is_help=True)
    group.command("setup")(setup)
    group.command("check")(check)
    group.command("rotate-tokens")(rotate_tokens)
    app.add_typer(group, name="influx")


def setup(context: typer.Context, admin_token_file: AdminTokenFile = None) -> None:
    """Make every factory's bucket and its two tokens, where they are missing; run it again after adding a factory."""
    _for_each(context_of(context), admin_token_file, lambda server, factory: server.prepare(factory, keep_s=0))


def rotate_tokens(context: typer.Context, admin_token_file: AdminTokenFile = None) -> None:
    """Replace the service's tokens by new ones; a running service uses them at once, and the old ones end."""
    _for_each(context_of(context), admin_token_file, lambda server, factory: server.rotate(factory))


def check(context: typer.Context) -> None:
    """Try every factory's bucket with the service's own tokens; changes nothing."""
    from factoryops.history.influx.administration import faults_of  # noqa: PLC0415 - loads the client

    ours = context_of(context)
    config = influx_config(ours.settings())
    faults = [(one, faults_of(config, one.id)) for one in _factories(ours)]
    show_table(
        ("factory", "bucket", "state"),
        [
            (one.slug, config.bucket(one.id), " ".join(found) or "samples can be written and read")
            for one, found in faults
        ],
    )
    if any(found for _, found in faults):
        raise typer.Exit(1)


def _for_each(ours: Context, admin_token_file: Path | None, act: Callable[[Administration, str], list[str]]) -> None:
    from factoryops.history.influx.administration import Administration  # noqa: PLC0415 - loads the client
    from factoryops.history.influx.tokens import TokenFolder  # noqa: PLC0415 - as above

    settings = ours.settings()
    token = (
        read_secret(admin_token_file) if admin_token_file else typer.prompt("Administrator's token", hide_input=True)
    )
    folder = TokenFolder(data_folder(settings).influx_tokens)
    server = Administration(influx_config(settings), token, folder)
    try:
        for factory in _factories(ours):
            done = act(server, factory.id)
            say(f"{factory.slug}: {' '.join(done) or 'everything is there already.'}")
    finally:
        server.close()


def _factories(ours: Context) -> list[Factory]:
    with ours.database() as database:
        return list(database.read(lambda tx: tx.factories.list()))
