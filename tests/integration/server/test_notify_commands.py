"""A channel is tried from the command line with what the book says, and no secret is typed there."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from factoryops.contracts import http as contracts
from factoryops.database.database import Database
from factoryops.domain.identity import Role, Scope, new_id
from factoryops.domain.notifying import HookKind
from factoryops.identity.instance_key import load_or_create_instance_key
from factoryops.identity.vault import Vault
from factoryops.notifications.hook_secrets import HookSecrets
from factoryops.notifications.hooks import signature
from factoryops.server.settings import data_folder, load_settings
from tests.integration.server.test_command_line import Command, command

__all__ = ["command"]

SETTINGS = """data_folder = "data"
[endpoint]
port = 0
[api]
port = 0
[notifications.hooks]
allowed_networks = ["127.0.0.0/8"]
allow_http = true
"""


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class _Receiver(http.server.BaseHTTPRequestHandler):
    taken: list[Posted]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(Posted(self.path, dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def receiver() -> Iterator[tuple[int, list[Posted]]]:
    taken: list[Posted] = []
    handler = type("Handler", (_Receiver,), {"taken": taken})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], taken
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "factoryops.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    return file


def add_hook(settings: Path, name: str, url: str, kind: HookKind, key: str = "") -> None:
    folder = data_folder(load_settings(settings))
    vault, identity = Vault(load_or_create_instance_key(folder.instance_key)), new_id()
    sealed = vault.seal(msgspec.json.encode(HookSecrets(url, key)).decode(), identity)
    database = Database.open(f"sqlite:///{folder.metadata}")
    factory = database.read(lambda tx: tx.factories.list())[0]
    content = contracts.HookContent(name=name, kind=kind)
    scope = Scope(factory.id, "test", Role.ADMIN)
    columns = {"host": "127.0.0.1", "is_signed": bool(key), "sealed": sealed}
    database.run(lambda tx: tx.notifications(scope).hooks.create(content, identity, **columns))
    database.close()


def test_a_hook_is_tried_by_its_name_signed_and_in_its_own_style(
    command: Command, settings: Path, receiver: tuple[int, list[Posted]]
) -> None:
    port, taken = receiver
    command("factory", "add", "works")
    add_hook(settings, "ERP", f"http://127.0.0.1:{port}/erp/sesame", HookKind.WEBHOOK, key="opensesame")
    add_hook(settings, "Shift chat", f"http://127.0.0.1:{port}/teams", HookKind.TEAMS)
    said = command("notify", "test", "ERP", "--channel", "webhook")
    assert (said.code, "for ERP over" in said.out, "sesame" in said.out) == (0, True, False)
    (post,) = taken
    assert post.path == "/erp/sesame"
    stamp = post.headers["X-FactoryOps-Timestamp"]
    assert post.headers["X-FactoryOps-Signature"] == signature("opensesame", stamp, post.body)
    assert command("notify", "test", "Shift chat", "--channel", "chat").code == 0
    assert json.loads(taken[1].body)["attachments"][0]["content"]["type"] == "AdaptiveCard"


def test_what_cannot_be_tried_is_refused_in_a_sentence(
    command: Command, settings: Path, receiver: tuple[int, list[Posted]]
) -> None:
    port, taken = receiver
    command("factory", "add", "works")
    add_hook(settings, "ERP", f"http://127.0.0.1:{port}/", HookKind.WEBHOOK)
    for arguments, why in [
        (("--channel", "webhook", "--to", f"http://127.0.0.1:{port}/"), "A hook's address is a secret"),
        (("ERP", "--channel", "chat"), "of another kind: say --channel webhook"),
        (("MES", "--channel", "webhook"), "There is no hook named MES (there are: ERP)"),
        (("Jana",), "There is no contact named Jana (there are: none yet)"),
        ((), "Say who gets the test message"),
    ]:
        said = command("notify", "test", *arguments)
        assert said.code != 0
        assert why in " ".join(said.err.split())
    assert taken == []
