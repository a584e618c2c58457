"""An alarm of a real device reaches somebody's mailbox, with its picture and what to do; the ledger says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from factoryops.contracts import http
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.notifying import ChannelKind, TargetKind
from factoryops.domain.rule import AlarmRecord
from factoryops.domain.time import now_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.replay import telemetry
from tests.support.installation import Installation
from tests.support.mail_server import MailServerStub
from tests.support.rules import limit_content
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


async def test_an_alarm_reaches_a_mailbox_with_its_picture_and_what_to_do(tmp_path: Path) -> None:
    mail = MailServerStub()
    await mail.start()
    settings = (
        f'[notifications.smtp]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\n'
        'sender = "factoryops@example.com"'
    )
    plant = Installation(tmp_path / "plant", extra=settings)
    try:
        await asyncio.to_thread(plant.add_factory, "works")
        secret = await asyncio.to_thread(plant.add_credential, "works", "press")
        tried = await asyncio.to_thread(
            plant.command, "notify", "test", "--channel", "email", "--to", "it@example.com", "--language", "de"
        )
        assert tried.returncode == 0, tried.stderr
        assert "i…@example.com" in tried.stdout
        assert len(mail.kept) == 1
        await asyncio.to_thread(plant.start)
        await _raise_an_alarm(plant, secret)
        await until(lambda: len(mail.kept) == 2, timeout_s=30, every_s=0.1, what="the mail")
        message = mail.kept[1]
        parts = {part.get_content_type(): part for part in message.walk()}
        text = parts["text/plain"].get_payload(decode=True)
        picture = parts["image/png"].get_payload(decode=True)
        assert isinstance(text, bytes)
        assert isinstance(picture, bytes)
        assert picture.startswith(b"\x89PNG")
        assert "Wert: 6,5 (Grenze 5)" in text.decode()
        assert "Was zu tun ist: Close the valve." in text.decode()
        client = await plant.log_in("works")
        (delivery,) = (await client.deliveries()).deliveries
        assert (delivery.state, delivery.address) == (http.DeliveryState.ACCEPTED, "j…@example.com")
        assert message["Message-ID"] == f"<{delivery.message_id}@example.com>"
        await client.close()
        listed = await asyncio.to_thread(plant.command, "notify", "ledger", "works")
        assert "Jana" in listed.stdout
        assert "jana@example.com" not in plant.log + listed.stdout
    finally:
        await asyncio.to_thread(plant.kill)
        await mail.stop()


async def _raise_an_alarm(plant: Installation, secret: str) -> None:
    client = await plant.log_in("works")
    jana = await client.create_contact(
        http.ContactContent.model_validate({"name": "Jana", "language": "de", "email": "jana@example.com"})
    )
    to = http.TargetContent(kind=TargetKind.CONTACT, name=jana.id, channels=[ChannelKind.EMAIL])
    await client.create_notification_policy(http.PolicyContent(name="All", steps=[http.StepContent(to=[to])]))
    definition = limit_content(
        name="Pressure high", parameter_key="pressure", comparison=Comparison.ABOVE, limit=5.0
    ).definition()
    record = AlarmRecord(action="Close the valve.")
    await client.create_rule(http.RuleContent.of(msgspec.structs.replace(definition, record=record)))
    device = DeviceConnection(MqttTarget("127.0.0.1", plant.endpoint_port, "works", "press", secret), "press-1")
    device.start()
    device.wait_connected(10.0)
    for value in (4.0, 6.5):
        device.publish("factories/works/devices/press-1/telemetry", telemetry(now_us(), {"pressure": value}))

    async def is_raised() -> bool:
        return bool(await client.alarms())

    await until(is_raised, timeout_s=30, every_s=0.1, what="the alarm")
    device.close()
    await client.close()
