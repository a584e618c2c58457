"""The only module of the service that builds things: every role gets its ports from here."""

from __future__ import annotations

import socket
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from factoryops.certificates.facts import inspect
from factoryops.database.database import Database
from factoryops.domain.credentials import DeviceAddress
from factoryops.domain.errors import SetupError, UnavailableError
from factoryops.history.store import HistoryReader, HistoryStore
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.snapshot_file import write_snapshot
from factoryops.journal.import_writer import ImportPlace
from factoryops.notifications.hook_secrets import HookRules
from factoryops.server.settings import DataFolder, Settings, data_folder, read_secret

if TYPE_CHECKING:
    from factoryops.history.influx.transport import InfluxConfig
    from factoryops.jobs.orders import HistorySource


def program_version() -> str:
    """The installed version."""
    return version("factoryops")


def database_url(settings: Settings) -> str:
    """The SQLAlchemy URL of the metadata database, its password filled in."""
    wanted = settings.database
    if wanted.url is None:
        return f"sqlite:///{DataFolder(settings.data_folder.absolute()).metadata.as_posix()}"
    if wanted.password_file is None:
        return wanted.url
    return _with_password(wanted.url, read_secret(wanted.password_file))


def _with_password(url: str, password: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, place = rest.partition("@")
    if not (separator and at and user) or ":" in user:
        raise SetupError("database.url must name a user and no password: mysql+pymysql://user@host/name.")
    return f"{scheme}://{user}:{quote_plus(password)}@{place}"


def device_address(settings: Settings) -> DeviceAddress:
    """Where devices are told to connect; raises InvalidInputError when the authority's file cannot be read."""
    told, endpoint = settings.devices, settings.endpoint
    use_tls = endpoint.has_tls if told.use_tls is None else told.use_tls
    listens_on = endpoint.tls_host if use_tls else endpoint.host
    is_wildcard = listens_on in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    return DeviceAddress(
        told.host or (socket.getfqdn() if is_wildcard else listens_on),
        told.port or (endpoint.tls_port if use_tls else endpoint.port),
        use_tls=use_tls,
        ca_sha256=_fingerprint(settings) if use_tls else "",
    )


def _fingerprint(settings: Settings) -> str:
    own = DataFolder(settings.data_folder.absolute()).certificates / "ca.pem"
    file = settings.devices.ca_file or (own if own.exists() else None)
    return inspect(file).fingerprint if file is not None else ""


def open_database(settings: Settings) -> Database:
    """The metadata database; a server need not be up yet."""
    return Database.open(database_url(settings))


def prepare_installation(settings: Settings) -> str | None:
    """Bring the schema up to date and write ingest's snapshot; answers a sentence when the database is away.

    Raises:
        SetupError: the schema is newer than this program, or a file cannot be used.
    """
    folder = data_folder(settings)
    key = load_or_create_instance_key(folder.instance_key)
    database = open_database(settings)
    try:
        database.migrate()
        write_snapshot(database, folder.snapshot, key)
    except UnavailableError as error:
        return str(error)
    finally:
        database.close()
    return None


def open_history_store(settings: Settings) -> HistoryStore:
    """The store the historian writes to."""
    folder = DataFolder(settings.data_folder.absolute())
    if settings.history.kind == "local":
        from factoryops.history.local.store import LocalHistory  # noqa: PLC0415 - only the adapter in use is loaded

        return LocalHistory(folder.history)
    from factoryops.history.influx.store import InfluxHistory  # noqa: PLC0415 - as above

    return InfluxHistory(influx_config(settings), folder.influx_state, folder.journals)


def open_history_reader(settings: Settings) -> HistoryReader:
    """The store as every other role may see it: to read."""
    folder = DataFolder(settings.data_folder.absolute())
    if settings.history.kind == "local":
        from factoryops.history.local.reader import LocalHistoryReader  # noqa: PLC0415 - only the adapter in use is loaded

        return LocalHistoryReader(folder.history)
    from factoryops.history.influx.reader import InfluxHistoryReader  # noqa: PLC0415 - as above

    return InfluxHistoryReader(influx_config(settings), folder.influx_state)


def history_source(settings: Settings) -> HistorySource:
    """Where history is read, as work is told."""
    from factoryops.jobs.orders import InfluxSource, LocalSource  # noqa: PLC0415 - workers and commands alone

    folder = DataFolder(settings.data_folder.absolute())
    if settings.history.kind == "local":
        return LocalSource(str(folder.history))
    influx = influx_config(settings)
    return InfluxSource(
        url=influx.url,
        org=influx.org,
        tokens_folder=str(folder.influx_tokens),
        bucket_prefix=influx.bucket_prefix,
        timeout_s=influx.timeout_s,
        state_path=str(folder.influx_state),
    )


def import_place(settings: Settings) -> ImportPlace:
    """Where imports are written; their journal may take a quarter of what the devices' may."""
    folder = DataFolder(settings.data_folder.absolute())
    return ImportPlace(
        journal=folder.journals["import"],
        checkpoints_folder=folder.checkpoints,
        doorbell_folder=folder.doorbells,
        size_limit_bytes=int(settings.journal.size_limit_gib * 2**30) // 4,
    )


def hook_rules(settings: Settings) -> HookRules:
    """Where webhooks and chat hooks may lead."""
    wanted = settings.notifications.hooks
    hosts = frozenset(host.casefold() for host in wanted.allowed_hosts)
    return HookRules(wanted.allowed_networks, hosts, wanted.allow_http)


def influx_config(settings: Settings) -> InfluxConfig:
    """The InfluxDB server of the settings; raises SetupError when there is none."""
    from factoryops.history.influx.tokens import TokenFolder  # noqa: PLC0415 - only the adapter in use is loaded
    from factoryops.history.influx.transport import InfluxConfig  # noqa: PLC0415 - as above

    wanted = settings.history.influx
    if wanted is None:
        raise SetupError("There is no [history.influx] section.")
    return InfluxConfig(
        url=wanted.url,
        org=wanted.org,
        tokens=TokenFolder(DataFolder(settings.data_folder.absolute()).influx_tokens),
        bucket_prefix=wanted.bucket_prefix,
        timeout_s=wanted.timeout_s,
        is_compressed=wanted.is_compressed,
    )
