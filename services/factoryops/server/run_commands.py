"""`run`, `migrate` and `check`: what plant IT needs."""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.observability.heartbeat import HeartbeatFile
from factoryops.observability.logging import configure_logging
from factoryops.server import bootstrap, role_main, roles
from factoryops.server.console import complain, say
from factoryops.server.context import Context, context_of
from factoryops.server.instance_lock import InstanceLock
from factoryops.server.role_process import run_role, watched_lifeline
from factoryops.server.settings import Settings, data_folder
from factoryops.server.supervisor import Supervisor


class RoleName(StrEnum):
    """The roles `run --role` knows."""

    INGEST = "ingest"
    HISTORIAN = "historian"
    ENGINE = "engine"
    API = "api"
    WORKER = "worker"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(run)
    app.command()(migrate)
    app.command()(check)


def run(
    context: typer.Context,
    role: Annotated[RoleName | None, typer.Option(help="Run this role alone, in this process.")] = None,
    lifeline: Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Run the service: all roles, supervised."""
    ours = context_of(context)
    if role is not None:
        sys.exit(role_main.run_alone(role.value, ours.file, lifeline=watched_lifeline(lifeline)))
    settings = ours.settings()
    folder = data_folder(settings)
    configure_logging("supervisor", level=settings.log.level, folder=folder.logs)
    lock = InstanceLock(folder.lock)
    lock.acquire()
    try:
        trouble = bootstrap.prepare_installation(settings)
        if trouble:
            complain(f"{trouble} The service starts without it: samples are kept, logging in waits.")
        sys.exit(run_role(_supervisor(ours).run, lifeline=watched_lifeline(lifeline)))
    finally:
        lock.release()


def _supervisor(ours: Context) -> Supervisor:
    chosen = [] if ours.file is None else [str(ours.file.absolute())]
    commands = {role: ["-m", "factoryops.server.role_main", role, *chosen] for role in roles.ROLES}
    heartbeat = HeartbeatFile(data_folder(ours.settings()).heartbeats, "supervisor")
    return Supervisor(commands, dispensable=roles.DISPENSABLE, heartbeat=heartbeat)


def migrate(context: typer.Context) -> None:
    """Bring the database's schema up to this program's version."""
    database = bootstrap.open_database(_prepared(context))
    try:
        database.migrate()
    finally:
        database.close()
    say("The schema is up to date.")


def check(context: typer.Context) -> None:
    """Say in sentences whether the service could start; exit code 1 when it could not."""
    settings = _prepared(context)
    faults: list[str] = []
    database = bootstrap.open_database(settings)
    try:
        database.check_schema()
    except (SetupError, UnavailableError) as error:
        faults.append(str(error))
    finally:
        database.close()
    faults += asyncio.run(_ports_in_use(settings))
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(1)
    say("Everything is in place.")


def _prepared(context: typer.Context) -> Settings:
    settings = context_of(context).settings()
    data_folder(settings)
    return settings


async def _ports_in_use(settings: Settings) -> list[str]:
    faults: list[str] = []
    wanted = [("the API", settings.api.host, settings.api.port)]
    endpoint = settings.endpoint
    if endpoint.is_enabled and endpoint.is_plain_enabled:
        wanted.append(("the MQTT endpoint", endpoint.host, endpoint.port))
    if endpoint.is_enabled and endpoint.has_tls:
        wanted.append(("the MQTT endpoint with TLS", endpoint.tls_host, endpoint.tls_port))
    for what, host, port in wanted:
        try:
            server = await asyncio.start_server(lambda *_: None, host, port)
        except OSError as error:
            faults.append(
                f"Port {port} on {host} for {what} cannot be opened ({error.strerror}); another program has it."
            )
        else:
            server.close()
            await server.wait_closed()
    return faults


def default_settings_text(*, data_folder: Path, api_port: int, endpoint_port: int) -> str:
    """A settings file of the embedded installation with these ports."""
    return (
        f"data_folder = {str(data_folder.as_posix())!r}\n\n"
        f"[endpoint]\nport = {endpoint_port}\n\n[api]\nport = {api_port}\n"
    )
