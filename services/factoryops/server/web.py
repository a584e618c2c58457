"""The api role: the FastAPI application under uvicorn, stopped like every other role."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from factoryops.api.app import build_app
from factoryops.api.context import ApiContext
from factoryops.api.server_options import UVICORN_OPTIONS
from factoryops.certificates.expiry import WatchedCertificate
from factoryops.domain.errors import SetupError
from factoryops.history.queries import History
from factoryops.history.tail import Tail
from factoryops.history.transfer.uploads import Uploads
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.login import Login
from factoryops.identity.vault import Vault
from factoryops.server.bootstrap import (
    device_address,
    hook_rules,
    open_database,
    open_history_reader,
    program_version,
)
from factoryops.server.role_process import Work
from factoryops.server.settings import ApiSettings, DataFolder, Settings, data_folder


def serve(settings: Settings) -> Work:
    """The work of the api role."""
    folder = data_folder(settings)
    database = open_database(settings)
    login = Login(database)
    reader = open_history_reader(settings)
    tails = {name: Tail() for name in folder.journals}
    context = ApiContext(
        database=database,
        login=login,
        history=History(reader, tails),
        reader=reader,
        tails=tails,
        journals=folder.journals,
        heartbeat_folder=folder.heartbeats,
        doorbell_folder=folder.doorbells,
        artifacts_folder=folder.artifacts,
        version=program_version(),
        uploads=Uploads(folder.uploads, most_bytes=int(settings.transfer.upload_limit_gib * 2**30)),
        vault=Vault(load_or_create_instance_key(folder.instance_key)),
        hook_rules=hook_rules(settings),
        certificates=_certificates(settings),
        device_address=device_address(settings),
        logins_path=folder.logins,
    )
    app = build_app(context)

    async def work(stop: asyncio.Event) -> None:
        try:
            await _serve(_config(app, settings.api), settings.api, stop)
        finally:
            await asyncio.to_thread(login.close)
            await asyncio.to_thread(database.close)

    return work


def _certificates(settings: Settings) -> tuple[WatchedCertificate, ...]:
    """Every certificate file that the settings name, and the plant's own authority."""
    own = DataFolder(settings.data_folder.absolute()).certificates / "ca.pem"
    named = [
        ("api", "The certificate of the API", settings.api.certificate_file),
        ("endpoint", "The certificate of the MQTT endpoint", settings.endpoint.certificate_file),
        ("authority", "The plant's own authority", own if own.exists() else None),
        *(
            (f"{one.name}-authority", f"The authority of the broker {one.name}", one.ca_file)
            for one in settings.brokers
        ),
    ]
    return tuple(WatchedCertificate(key, what, file) for key, what, file in named if file is not None)


def _config(app: FastAPI, api: ApiSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=api.host,
        port=api.port,
        ssl_certfile=api.certificate_file,
        ssl_keyfile=api.key_file,
        log_config=None,
        **UVICORN_OPTIONS,
    )


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers: the role's process has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as they are."""
        yield


async def _serve(config: uvicorn.Config, api: ApiSettings, stop: asyncio.Event) -> None:
    server = _Server(config)
    _load(config, api)
    await _check_port(api)
    serving = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopped.cancel()
    await serving


def _load(config: uvicorn.Config, api: ApiSettings) -> None:
    """Read the certificate here, where what is wrong with it can be said in words."""
    try:
        config.load()
    except OSError as error:
        raise SetupError(
            f"The API cannot use the certificate {api.certificate_file} with the key {api.key_file} "
            f"({error.strerror or error}). No client can connect; check both files."
        ) from error


async def _check_port(api: ApiSettings) -> None:
    """Uvicorn would end the process with its own words; ours say what to do."""
    try:
        probe = await asyncio.start_server(lambda *_: None, api.host, api.port)
    except OSError as error:
        raise SetupError(
            f"The API cannot open port {api.port} on {api.host} ({error.strerror}): another program has it. "
            "No client can connect; stop that program or set api.port."
        ) from error
    probe.close()
    await probe.wait_closed()
