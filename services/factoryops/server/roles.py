"""Which roles an installation runs, and how each is put together.

Each role's own packages are imported only in its own process: ingest must not pay for the API's memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.server.role_process import Work
from factoryops.server.settings import EndpointSettings, Settings, data_folder, read_secret

if TYPE_CHECKING:
    from factoryops.ingest.config import EndpointConfig

_SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread may keep the interpreter, where others of the same process must answer within milliseconds."""
_HOT: Final = ("ingest", "engine", "api")

_READY_AFTER_S: Final = 10.0
"""When a service has started, everything else loads first."""

ROLES: Final = ("ingest", "historian", "engine", "api", "worker")
"""What `run` supervises, in the order they start."""

DISPENSABLE: Final = ("worker",)
"""What waits in safe mode."""


def build(role: str, settings: Settings) -> Work:
    """The work of a role, its ports in place."""
    if role in _HOT:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
    return _BUILDERS[role](settings)


def _ingest(settings: Settings) -> Work:
    from factoryops.ingest.config import BrokerConfig, IngestConfig  # noqa: PLC0415 - this role alone
    from factoryops.ingest.service import IngestService  # noqa: PLC0415 - as above

    folder = data_folder(settings)
    key = load_or_create_instance_key(folder.instance_key)
    client_id = f"factoryops-{hashlib.sha256(key).hexdigest()[:12]}"
    return IngestService(
        IngestConfig(
            journal_path=folder.journals["journal"],
            checkpoints_folder=folder.checkpoints,
            doorbell_folder=folder.doorbells,
            heartbeat_folder=folder.heartbeats,
            snapshot_path=folder.snapshot,
            snapshot_key=key,
            endpoint=_endpoint(settings.endpoint) if settings.endpoint.is_enabled else None,
            brokers=tuple(
                BrokerConfig(
                    name=one.name,
                    host=one.host,
                    port=one.port,
                    username=one.username,
                    password=read_secret(one.password_file) if one.password_file else None,
                    use_tls=one.use_tls,
                    ca_file=one.ca_file,
                    client_id=client_id,
                    max_queued_messages=one.max_queued_messages,
                    max_queued_bytes=one.max_queued_bytes,
                    memory_limit_bytes=one.memory_limit,
                    configuration_file=one.configuration_file,
                )
                for one in settings.brokers
            ),
            size_limit_bytes=int(settings.journal.size_limit_gib * 2**30),
            other_journals=tuple(path for name, path in folder.journals.items() if name != "journal"),
            dialect_b_factory=settings.ingest.dialect_b_factory or "",
            logins_path=folder.logins,
        )
    ).run


def _endpoint(settings: EndpointSettings) -> EndpointConfig:
    from factoryops.ingest.config import EndpointConfig, TlsConfig  # noqa: PLC0415 - this role alone

    tls = None
    if settings.certificate_file is not None and settings.key_file is not None:
        tls = TlsConfig(
            settings.tls_host, settings.tls_port, settings.certificate_file, settings.key_file, settings.client_ca_file
        )
    return EndpointConfig(
        host=settings.host,
        port=settings.port,
        is_plain_enabled=settings.is_plain_enabled,
        tls=tls,
        most_connections=settings.most_connections,
        most_per_address=settings.most_connections_per_address,
        most_per_user=settings.most_connections_per_user,
        device_messages_per_s=settings.device_messages_per_s,
        device_bytes_per_s=settings.device_mib_per_s * 2.0**20,
        factory_messages_per_s=settings.factory_messages_per_s,
    )


def _historian(settings: Settings) -> Work:
    from factoryops.history.historian import Historian, HistorianConfig  # noqa: PLC0415 - this role alone
    from factoryops.server.bootstrap import open_history_store  # noqa: PLC0415 - as above

    folder = data_folder(settings)
    store = open_history_store(settings)
    config = HistorianConfig(
        journals=folder.journals,
        checkpoints_folder=folder.checkpoints,
        doorbell_folder=folder.doorbells,
        heartbeat_folder=folder.heartbeats,
        seal_every_s=settings.history.seal_every_s,
        retention_file=folder.retention,
    )
    historian = Historian(config, store)

    async def work(stop: asyncio.Event) -> None:
        try:
            await historian.run(stop)
        finally:
            await asyncio.to_thread(store.close)

    return work


def _engine(settings: Settings) -> Work:
    from factoryops.alarms.service import EngineConfig, EngineService  # noqa: PLC0415 - this role alone
    from factoryops.jobs.clock import JobClock  # noqa: PLC0415 - as above
    from factoryops.server.bootstrap import open_database  # noqa: PLC0415 - as above
    from factoryops.server.notifying import open_dispatcher  # noqa: PLC0415 - as above

    folder = data_folder(settings)
    database = open_database(settings)
    dispatcher = open_dispatcher(settings, database)
    engine = EngineService(
        EngineConfig(
            journal_path=folder.journals["journal"],
            derived_path=folder.journals["derived"],
            import_path=folder.journals["import"],
            checkpoints_folder=folder.checkpoints,
            doorbell_folder=folder.doorbells,
            heartbeat_folder=folder.heartbeats,
            snapshot_path=folder.snapshot,
            snapshot_key=load_or_create_instance_key(folder.instance_key),
            retention_path=folder.retention,
        ),
        database,
    )
    clock = JobClock(database, heartbeat_folder=folder.heartbeats)

    async def work(stop: asyncio.Event) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(engine.run(stop))
                group.create_task(clock.run(stop))
                group.create_task(dispatcher.run(stop))
        finally:
            await asyncio.to_thread(database.close)

    return work


def _api(settings: Settings) -> Work:
    from factoryops.server.web import serve  # noqa: PLC0415 - this role alone

    return serve(settings)


def _worker(settings: Settings) -> Work:
    from factoryops.jobs.worker import WorkerConfig, WorkerService  # noqa: PLC0415 - this role alone
    from factoryops.server.bootstrap import (  # noqa: PLC0415 - as above
        database_url,
        history_source,
        import_place,
        open_database,
    )

    folder = data_folder(settings)
    database = open_database(settings)
    config = WorkerConfig(
        artifacts_folder=folder.artifacts,
        heartbeat_folder=folder.heartbeats,
        database_url=database_url(settings),
        history=history_source(settings),
        journals=folder.journals,
        imports=import_place(settings),
        uploads_folder=folder.uploads,
        ready_after_s=_READY_AFTER_S,
    )
    worker = WorkerService(config, database)

    async def work(stop: asyncio.Event) -> None:
        try:
            await worker.run(stop)
        finally:
            await asyncio.to_thread(database.close)

    return work


_BUILDERS: Final[Mapping[str, Callable[[Settings], Work]]] = {
    "ingest": _ingest,
    "historian": _historian,
    "engine": _engine,
    "api": _api,
    "worker": _worker,
}
