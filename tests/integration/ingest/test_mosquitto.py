"""A real Mosquitto with the files that are written for it: who may do what, and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessage

from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import UnavailableError
from factoryops.identity.credentials import revoke_credential, rotate_credential, settle_credential
from factoryops.ingest.mosquitto.probe import NOT_AUTHORISED, ProbeSession, ProbeTarget, probe
from factoryops.ingest.mosquitto.users import PROBE_USER, SERVICE_USER
from factoryops.server.broker_files import reload_broker
from tests.support.plant_broker import PlantBroker
from tests.support.waiting import wait_until

A = "factories/{}/devices/{}/telemetry"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantBroker]:
    made = PlantBroker(tmp_path_factory.mktemp("plant"))
    made.add("riverside", "press-1", "press-1")
    made.add("riverside", "press-2", "press 2")
    made.add("riverside", "gateway")
    made.add("riverside", "laptop", is_tool=True)
    made.add("hillside", "mixer-1", "mixer-1")
    made.add("hillside", "gate-2")
    made.add("hillside", "looker", is_tool=True)
    made.write_users()
    made.start()
    yield made
    made.close()


class Watcher(ProbeSession):
    """Remembers what it was shown, and notices when it was sent away."""

    topics: set[str]

    def __enter__(self) -> Self:
        self.topics = set()
        return super().__enter__()

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.topics.add(message.topic)
        super()._on_message(client, userdata, message)

    def is_over(self) -> bool:
        return self._client.loop(0.05) != 0 or self._client.socket() is None


def secret_of(broker: PlantBroker, user: str) -> str:
    return broker.secrets[user] if user in broker.secrets else broker.own_secret(user)


RIVERSIDE_1, RIVERSIDE_2 = A.format("riverside", "press-1"), A.format("riverside", "press 2")
HILLSIDE = A.format("hillside", "mixer-1")
PUBLISHING = [
    ("press-1", RIVERSIDE_1, True),
    ("press-1", RIVERSIDE_2, False),
    ("press-1", HILLSIDE, False),
    ("press-1", A.format("hillside", "press-1"), False),
    ("press-1", "factories/riverside/devices/press-1/other", False),
    ("press-1", "factories/riverside/devices/press-1", False),
    ("press-1", "devices/press-1/telemetry", False),
    ("press-1", "anything", False),
    ("press-1", "factoryops/probe/queue", False),
    ("press-2", RIVERSIDE_2, True),
    ("press-2", RIVERSIDE_1, False),
    ("press-2", A.format("riverside", "press"), False),
    ("gateway", RIVERSIDE_1, True),
    ("gateway", RIVERSIDE_2, True),
    ("gateway", A.format("riverside", "not-seen-yet"), True),
    ("gateway", HILLSIDE, False),
    ("gateway", "factories/riverside/other", False),
    ("gateway", "factories/riverside/devices/a/b/telemetry", False),
    ("laptop", RIVERSIDE_1, False),
    ("laptop", "factories/riverside/x", False),
    ("laptop", HILLSIDE, False),
    ("mixer-1", HILLSIDE, True),
    ("mixer-1", RIVERSIDE_1, False),
    ("gate-2", HILLSIDE, True),
    ("gate-2", RIVERSIDE_1, False),
    ("looker", HILLSIDE, False),
    (SERVICE_USER, RIVERSIDE_1, False),
    (SERVICE_USER, "$SYS/broker/uptime", False),
    (PROBE_USER, RIVERSIDE_1, False),
    (PROBE_USER, "factoryops/probe/x", True),
]
LOOKING = [
    (SERVICE_USER, {RIVERSIDE_1, HILLSIDE}),
    ("laptop", {RIVERSIDE_1}),
    ("looker", {HILLSIDE}),
    ("press-1", set()),
    ("gateway", set()),
    ("gate-2", set()),
    (PROBE_USER, set()),
]
STRANGERS = [(None, None), ("press-1", "wrong"), ("nobody", "secret"), ("press-1", "")]


@pytest.mark.parametrize(("user", "topic", "is_permitted"), PUBLISHING)
def test_who_may_publish_what(broker: PlantBroker, user: str, topic: str, is_permitted: bool) -> None:
    with ProbeSession(broker.target(is_plain=True), user, secret_of(broker, user)) as session:
        session.require()
        assert (session.publish(topic) != NOT_AUTHORISED) is is_permitted


@pytest.mark.parametrize(("user", "sees"), LOOKING)
def test_who_sees_what(broker: PlantBroker, user: str, sees: set[str]) -> None:
    with Watcher(broker.target(is_plain=True), user, secret_of(broker, user)) as looking:
        looking.subscribe("#")
        publishers = {RIVERSIDE_1: "press-1", HILLSIDE: "mixer-1"}
        for topic, publisher in publishers.items():
            secret = broker.secrets[publisher] if publisher != user else ""
            if secret:
                with ProbeSession(broker.target(is_plain=True), publisher, secret) as session:
                    session.publish(topic)
        looking.publish("nowhere")  # its answer comes after everything that was sent before
        assert looking.topics - {"factoryops/probe/x"} == sees


@pytest.mark.parametrize(("user", "password"), STRANGERS)
def test_strangers_are_refused(broker: PlantBroker, user: str | None, password: str | None) -> None:
    with ProbeSession(broker.target(), user, password) as session:
        assert session.answer not in (0, None)


def test_nothing_is_spoken_without_tls_but_on_loopback(broker: PlantBroker) -> None:
    plain = ProbeTarget("127.0.0.1", broker.port, "x")
    with ProbeSession(plain, "press-1", broker.secrets["press-1"]) as session:
        assert session.answer is None
    with pytest.raises(UnavailableError, match="certificate"):
        ProbeSession(ProbeTarget("127.0.0.2", broker.port, "x", broker.authority.ca_file), None, None).__enter__()


def test_nobody_takes_over_the_services_session(broker: PlantBroker) -> None:
    with ProbeSession(broker.target(), SERVICE_USER, broker.own_secret(SERVICE_USER)) as service:
        with ProbeSession(broker.target(), "press-1", broker.secrets["press-1"], client_id=SERVICE_USER) as device:
            device.require()
        service.subscribe("#")  # it still stands


def test_the_probe_is_content_with_what_we_write(broker: PlantBroker) -> None:
    assert probe(broker.target()) == []


def test_a_rotation_reaches_the_broker_when_its_overlap_is_ended(broker: PlantBroker) -> None:
    factory = broker.factories["riverside"].id
    old = broker.add("riverside", "press-3", "press-3")
    assert broker.write_users().has_changed
    assert not broker.write_users().has_changed
    assert reload_broker(broker.folder)
    wait_until(lambda: is_let_in(broker, "press-3", old), what="the new user")
    new = rotate_credential(broker.database, factory, "press-3").secret
    assert not broker.write_users().has_changed  # until the overlap ends, the older one holds
    settle_credential(broker.database, factory, "press-3")
    assert broker.write_users().has_changed
    reload_broker(broker.folder)
    wait_until(lambda: is_let_in(broker, "press-3", new), what="the new secret")
    assert not is_let_in(broker, "press-3", old)


def test_a_revoked_user_is_sent_away_at_the_reload(broker: PlantBroker) -> None:
    secret = broker.add("riverside", "press-4", "press-4")
    broker.write_users()
    reload_broker(broker.folder)
    wait_until(lambda: is_let_in(broker, "press-4", secret), what="the new user")
    with Watcher(broker.target(), "press-4", secret) as session:
        session.require()
        revoke_credential(broker.database, broker.factories["riverside"].id, "press-4")
        broker.write_users()
        reload_broker(broker.folder)
        wait_until(session.is_over, what="being sent away")
    assert not is_let_in(broker, "press-4", secret)


def is_let_in(broker: PlantBroker, user: str, secret: str) -> bool:
    with ProbeSession(broker.target(), user, secret) as session:
        return session.answer == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_queued_messages 1000000", "max_queued_messages 1000", "threw away"),
        ("acl_file", "# acl_file", "any user publish"),
    ],
)
def test_the_probe_names_what_a_running_broker_does_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    broker = PlantBroker(tmp_path)
    try:
        broker.write_users()
        broker.change(old, new)
        broker.start()
        assert any(words in sentence for sentence in probe(broker.target()))
    finally:
        broker.close()


def test_the_kinds_of_this_table_are_all_there_are() -> None:
    assert {kind.value for kind in CredentialKind} == {"device", "gateway", "tool"}
    assert len(PUBLISHING) + len(LOOKING) + len(STRANGERS) >= 40
