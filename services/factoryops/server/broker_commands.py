"""`broker`: set up, check and keep an outside Mosquitto."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from factoryops.certificates.authority import Authority
from factoryops.certificates.ledger import Purpose
from factoryops.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from factoryops.ingest.mosquitto.configuration import (
    CONFIGURATION,
    PLUGINS_FOLDER,
    BrokerPlan,
    installed_version,
    version_of,
)
from factoryops.ingest.mosquitto.probe import ProbeTarget, probe
from factoryops.ingest.mosquitto.review import review_file
from factoryops.ingest.mosquitto.users import PROBE_USER, SERVICE_USER
from factoryops.server import bootstrap
from factoryops.server.broker_files import (
    TlsFiles,
    UsersWritten,
    own_secret,
    own_secret_file,
    reload_broker,
    write_configuration,
    write_users,
)
from factoryops.server.console import complain, say
from factoryops.server.context import Context, context_of
from factoryops.server.settings import BrokerSettings, data_folder

_CERTIFICATE = "broker"

Folder = Annotated[Path, typer.Argument(help="The broker's folder.")]


def register(app: typer.Typer) -> None:
    """Add the command group to the program."""
    group = typer.Typer(help="An outside Mosquitto: set up, check and keep it.", no_args_is_help=True)
    group.command("configure")(configure)
    group.command("users")(refresh_users)
    group.command("check")(check)
    group.command("probe")(try_out)
    app.add_typer(group, name="broker")


def configure(
    context: typer.Context,
    folder: Folder,
    host: Annotated[
        list[str] | None, typer.Option(help="A name or address by which devices reach the broker; may be repeated.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where it listens, with TLS.")] = 8883,
    plain_port: Annotated[
        int | None, typer.Option(help="Where it also listens without TLS, on loopback alone.")
    ] = None,
    certificate_file: Annotated[
        Path | None, typer.Option(help="A certificate of your own; by default the plant's authority issues one.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The authority that signed it.")] = None,
    mosquitto_version: Annotated[
        str | None, typer.Option(help="Such as 2.0 or 2.1; by default the installed one is asked.")
    ] = None,
    mosquitto: Annotated[str, typer.Option(help="The broker's program.")] = "mosquitto",
    plugins_folder: Annotated[Path, typer.Option(help="Where Mosquitto 2.1 has its plugins.")] = PLUGINS_FOLDER,
) -> None:
    """Write a folder with everything a Mosquitto needs that loses nothing it has acknowledged."""
    ours = context_of(context)
    version = version_of(mosquitto_version) if mosquitto_version else installed_version(mosquitto)
    target = folder.absolute()
    plan = BrokerPlan(target, version, port, plain_port, plugins_folder)
    tls = _tls_files(ours, host or [], certificate_file, key_file, ca_file)
    write_configuration(plan, tls)
    written = _write_users(ours, target)
    _say_written(target, written)
    say(f"Start it with: {mosquitto} -c {target / CONFIGURATION}")
    _say_settings(ours, target, (host or ["localhost"])[0], port)


def _tls_files(
    ours: Context, hosts: list[str], certificate_file: Path | None, key_file: Path | None, ca_file: Path | None
) -> TlsFiles:
    if certificate_file is not None and key_file is not None and ca_file is not None:
        return TlsFiles(certificate_file, key_file, ca_file)
    if certificate_file is not None or key_file is not None or ca_file is not None:
        raise InvalidInputError("--certificate-file, --key-file and --ca-file belong together; give all or none.")
    authority = Authority(data_folder(ours.settings()).certificates)
    issued = next((one for one in authority.listed() if one.name == _CERTIFICATE and not one.revoked_us), None)
    if issued is None:
        authority.issue(_CERTIFICATE, Purpose.SERVER, hosts)
    elif hosts and set(hosts) != set(issued.hosts):
        raise InvalidInputError(
            f"The broker's certificate is for {', '.join(issued.hosts)}, not for {', '.join(hosts)}. "
            f"Revoke it first: certificate revoke {_CERTIFICATE}"
        )
    return TlsFiles(authority.certificate_file(_CERTIFICATE), authority.key_file(_CERTIFICATE), authority.ca_file)


def _say_settings(ours: Context, folder: Path, host: str, port: int) -> None:
    secret = own_secret_file(data_folder(ours.settings()).broker, SERVICE_USER)
    say("Add to the settings of the service:")
    say(
        f'\n[[brokers]]\nname = "plant"\nhost = "{host}"\nport = {port}\nusername = "{SERVICE_USER}"\n'
        f'password_file = "{secret.as_posix()}"\nuse_tls = true\nca_file = "{(folder / "tls" / "ca.pem").as_posix()}"'
        f'\nconfiguration_file = "{(folder / CONFIGURATION).as_posix()}"'
    )


def refresh_users(
    context: typer.Context,
    folder: Folder,
    every_s: Annotated[
        float | None, typer.Option(min=1.0, help="Stay and do it again and again, for instance every 15 s.")
    ] = None,
) -> None:
    """Write who may log in and what they may do, and let the broker read it again."""
    ours = context_of(context)
    target = folder.absolute()
    pause = threading.Event()
    while True:
        try:
            _refresh(ours, target, is_brief=every_s is not None)
        except UnavailableError as error:
            if every_s is None:
                raise
            complain(str(error))
        if every_s is None or pause.wait(every_s):
            return


def _refresh(ours: Context, folder: Path, *, is_brief: bool) -> None:
    written = _write_users(ours, folder)
    if written.has_changed or not is_brief:
        _say_written(folder, written)
    if written.has_changed and not reload_broker(folder):
        say("Let the broker read them again: systemctl reload mosquitto, or kill -HUP its process.")


def _write_users(ours: Context, folder: Path) -> UsersWritten:
    settings = ours.settings()
    # Not through the context: it writes ingest's snapshot, and this may run as root beside a service that does not.
    database = bootstrap.open_database(settings)
    try:
        database.check_schema()
        return write_users(
            database, folder, data_folder(settings).broker, dialect_b_factory=settings.ingest.dialect_b_factory
        )
    finally:
        database.close()


def _say_written(folder: Path, written: UsersWritten) -> None:
    state = "were written to" if written.has_changed else "are unchanged in"
    say(f"{written.users} users {state} {folder}.")
    if written.left_out:
        say(
            f"Left out, because they were made before the broker's hash was kept: {', '.join(written.left_out)}. "
            "Rotate them once."
        )


def check(context: typer.Context, file: Annotated[Path, typer.Argument(help="A mosquitto.conf.")]) -> None:
    """Name every setting with which a broker would lose messages or let strangers in; exit code 1 if there is one."""
    context_of(context)
    _conclude(review_file(file), f"{file} keeps what it acknowledges.")


def try_out(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which of the settings' brokers; by default the only one.")] = None,
) -> None:
    """Try a running broker out: strangers refused, access rules in force, its queue long enough."""
    ours = context_of(context)
    settings = ours.settings()
    broker = _chosen(settings.brokers, name)
    target = ProbeTarget(
        broker.host,
        broker.port,
        own_secret(data_folder(settings).broker, PROBE_USER),
        broker.ca_file if broker.use_tls else None,
    )
    _conclude(probe(target), f"The broker {broker.name} does what it must.")


def _chosen(brokers: tuple[BrokerSettings, ...], name: str | None) -> BrokerSettings:
    found = [one for one in brokers if name in {None, one.name}]
    if len(found) != 1:
        known = ", ".join(one.name for one in brokers) or "none"
        raise NotFoundError(f"Say which broker of the settings to try out (there are: {known}).")
    return found[0]


def _conclude(faults: list[str], praise: str) -> None:
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(1)
    say(praise)
