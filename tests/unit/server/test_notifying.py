"""What is wrong with the settings of a channel is told by that channel, and stops nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from factoryops.domain.notifying import ChannelKind, Language
from factoryops.notifications.channel import Outgoing
from factoryops.server.notifying import open_channels
from factoryops.server.settings import NotificationSettings, Settings, SmtpSettings


def test_a_password_that_cannot_be_read_lets_messages_wait_and_says_which_file(tmp_path: Path) -> None:
    absent = tmp_path / "smtp.password"
    smtp = SmtpSettings(host="127.0.0.1", sender="plant@example.com", username="plant", password_file=absent)
    settings = Settings(data_folder=tmp_path, notifications=NotificationSettings(smtp=smtp))
    channels = {channel.kind: channel for channel in open_channels(settings)}
    message = Outgoing("m", "a@example.com", Language.ENGLISH, "subject", "text", "", "short", ())
    mail = asyncio.run(channels[ChannelKind.EMAIL].send(message))
    assert str(absent) in mail.reason
    assert (mail.is_login_refused, mail.is_permanent) == (True, False)
    sms = asyncio.run(channels[ChannelKind.SMS].send(message))
    assert "not set up" in sms.reason
    assert sms.is_permanent
