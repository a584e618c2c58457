"""`influx`: buckets and tokens of the InfluxDB server that keeps the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.domain.retention import RetentionPolicy
from factoryops.domain.time import now_us, to_us
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
    group.command("replay")(replay)
    app.add_typer(group, name="influx")


def setup(context: typer.Context, admin_token_file: AdminTokenFile = None) -> None:
    """Make every factory's buckets and tokens, where they are missing, and set how long buckets keep their content.

    Run it again after adding a factory, and after changing how long history is kept.
    """
    from factoryops.history.influx.administration import bucket_days  # noqa: PLC0415 - loads the client

    ours = context_of(context)
    kept: dict[str, dict[str, int]] = {one.id: bucket_days(_policies(ours, one)) for one in _factories(ours)}
    _for_each(ours, admin_token_file, lambda server, factory: server.prepare(factory, kept[factory]))


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


def replay(
    context: typer.Context,
    start: Annotated[
        str | None, typer.Option("--from", help="Received from this time on; by default all there is.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Received before this time; by default until now.")] = None,
) -> None:
    """Upload again what the journals still hold, after InfluxDB has lost some of it; changes nothing that is there."""
    from factoryops.history.influx.reader import InfluxHistoryReader  # noqa: PLC0415 - loads the client
    from factoryops.history.influx.replay import Replay  # noqa: PLC0415 - as above

    ours = context_of(context)
    settings = ours.settings()
    folder, config = data_folder(settings), influx_config(settings)
    span = _moment_us(start, 0), _moment_us(end, now_us())
    reader = InfluxHistoryReader(config, folder.influx_state)
    lagging = reader.lagging_factories()
    for one in _factories(ours):
        if one.id in lagging:
            say(f"{one.slug}: its bucket is closed or catching up by itself; replay when it has arrived.")
            continue
        again = Replay(config, one.id, folder.journals, lambda: {name: reader.front(name) for name in folder.journals})
        say(f"{one.slug}: {again.run(*span)} samples were uploaded again.")
    reader.close()


def _moment_us(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{text} is not a time; give one such as 2026-11-20T08:00:00Z.") from error
    if moment.tzinfo is None:
        raise InvalidInputError(f"{text} needs a zone, so that it means one moment: add Z for UTC, or an offset.")
    return to_us(moment)


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


def _policies(ours: Context, factory: Factory) -> Sequence[RetentionPolicy]:
    with ours.database() as database:
        scope = Scope(factory.id, "influx setup", Role.VIEWER)
        return database.read(lambda tx: tx.retention(scope).in_force())
