"""What is written for a Mosquitto: good by our own review, in both variants, and never a wildcard by a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import InvalidInputError, SetupError
from factoryops.domain.topic_template import parse_template
from factoryops.identity.credentials import broker_hash
from factoryops.ingest.mosquitto.configuration import BrokerPlan, configuration, version_of
from factoryops.ingest.mosquitto.review import review, review_file
from factoryops.ingest.mosquitto.users import (
    BrokerUser,
    FactoryTopics,
    check_files,
    check_user,
    password_file,
)

FOLDER = Path("/etc/mosquitto/factoryops")
OTHERS = tuple(map(parse_template, ["meters/{device}/{parameter}", "plc/+/values"]))
RIVERSIDE = FactoryTopics("riverside", tenant="SH12345678", is_nameless=True, others=OTHERS)
OLD, NEW = BrokerPlan(FOLDER, (2, 0)), BrokerPlan(FOLDER, (2, 1), plain_port=1883)


@pytest.mark.parametrize("plan", [OLD, NEW], ids=["2.0", "2.1"])
def test_what_is_written_passes_the_review(plan: BrokerPlan) -> None:
    assert review(configuration(plan)) == []


def test_from_2_1_on_the_queue_is_kept_by_the_database_plugin() -> None:
    text = configuration(NEW)
    assert "mosquitto_persist_sqlite.so" in text
    assert "\npassword_file" not in text
    assert "\nautosave" not in text


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("allow_anonymous false", "allow_anonymous true", "allow_anonymous"),
        ("allow_anonymous false", "", "allow_anonymous"),
        ("per_listener_settings false", "per_listener_settings true", "per_listener_settings"),
        (f"password_file {FOLDER}/passwords", "", "password_file"),
        (f"acl_file {FOLDER}/access", "", "acl_file"),
        ("persistence true", "persistence false", "persistence"),
        ("persistence true", "", "persistence"),
        ("autosave_on_changes false", "autosave_on_changes true", "autosave_on_changes"),
        ("autosave_interval 5", "autosave_interval 1800", "autosave_interval"),
        ("autosave_interval 5", "", "autosave_interval"),
        ("max_inflight_messages 1000", "", "max_inflight_messages"),
        ("max_queued_messages 1000000", "max_queued_messages 1000", "max_queued_messages"),
        ("max_queued_messages 1000000", "max_queued_messages 0", "max_queued_messages"),
        ("max_queued_messages 1000000", "", "max_queued_messages is 1000"),
        ("max_queued_bytes 2147483648", "max_queued_bytes 1000000", "max_queued_bytes"),
        ("max_packet_size 262144", "max_packet_size 268435455", "max_packet_size"),
        ("max_packet_size 262144", "", "max_packet_size"),
        ("persistent_client_expiration 14d", "persistent_client_expiration 1h", "persistent_client_expiration"),
        ("sys_interval 10", "sys_interval 0", "sys_interval"),
        ("use_username_as_clientid true", "", "use_username_as_clientid"),
        ("tls_version tlsv1.2", "tls_version tlsv1.1", "old TLS"),
        (f"certfile {FOLDER}/tls/certificate.pem", "", "no TLS"),
        ("listener 8883", "listener 8883\nlistener_allow_anonymous true", "lets anybody in"),
        ("listener 8883", "# none", "no listener"),
    ],
)
def test_each_wrong_setting_is_named(good: str, bad: str, words: str) -> None:
    text = configuration(OLD)
    assert good in text
    assert any(words in sentence for sentence in review(text.replace(good, bad)))


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("plugin_opt_sync full", "plugin_opt_sync normal", "plugin_opt_sync"),
        ("plugin_opt_flush_period 1", "", "plugin_opt_flush_period"),
    ],
)
def test_each_wrong_setting_of_the_database_plugin_is_named(good: str, bad: str, words: str) -> None:
    assert any(words in sentence for sentence in review(configuration(NEW).replace(good, bad)))


def test_a_listener_without_tls_is_good_on_loopback_alone() -> None:
    text = configuration(NEW)
    assert review(text) == []
    assert any("port 1883 has no TLS" in sentence for sentence in review(text.replace(" 127.0.0.1", "")))


def test_neither_bound_of_memory_is_named() -> None:
    text = configuration(OLD).replace("max_queued_bytes 2147483648", "").replace("memory_limit 4294967296", "")
    assert any("Neither" in sentence for sentence in review(text))


def test_included_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "queues.conf").write_text("max_queued_messages 5\n")
    file = tmp_path / "mosquitto.conf"
    file.write_text(configuration(OLD) + f"include_dir {tmp_path}/parts\n")
    assert any("max_queued_messages is 5" in sentence for sentence in review_file(file))
    with pytest.raises(InvalidInputError, match="cannot be read"):
        review_file(tmp_path / "nowhere.conf")


@pytest.mark.parametrize(
    ("text", "version"),
    [("mosquitto version 2.0.11", (2, 0)), ("2.1", (2, 1)), ("mosquitto version 2.1.2", (2, 1))],
)
def test_the_brokers_version_is_understood(text: str, version: tuple[int, int]) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize("text", ["", "1.6.9", "new"])
def test_a_broker_that_is_too_old_is_refused(text: str) -> None:
    with pytest.raises(SetupError):
        version_of(text)


def user(kind: CredentialKind, name: str = "one", device_key: str | None = None) -> BrokerUser:
    return BrokerUser(name, broker_hash("secret"), kind, RIVERSIDE, device_key)


def test_each_kind_gets_the_topics_of_its_dialects_and_no_more() -> None:
    assert user(CredentialKind.DEVICE, device_key="press 1").rules() == [
        "topic write factories/riverside/devices/press 1/telemetry",
        "topic write SH12345678/devices/press 1/telemetry",
        "topic write devices/press 1/telemetry",
        "topic write meters/press 1/+",
    ]
    assert user(CredentialKind.GATEWAY).rules() == [
        "topic write factories/riverside/devices/+/telemetry",
        "topic write SH12345678/devices/+/telemetry",
        "topic write devices/+/telemetry",
        "topic write meters/+/+",
        "topic write plc/+/values",
    ]
    assert user(CredentialKind.TOOL).rules() == [
        "topic read factories/riverside/#",
        "topic read SH12345678/#",
        "topic read devices/#",
        "topic read meters/+/+",
        "topic read plc/+/values",
    ]


@given(st.text(min_size=1, max_size=20))
def test_no_name_that_is_let_through_is_a_wildcard_or_a_second_line(name: str) -> None:
    one = user(CredentialKind.GATEWAY, name)
    try:
        check_user(one)
    except InvalidInputError:
        return
    assert not set("+#/\n ") & set(name)
    check_files(password_file([one], {}), f"user {name}\n")


@pytest.mark.parametrize(
    ("passwords", "access"),
    [
        ("a:plain\n", ""),
        ("a:$7$101$c2FsdA==$aGFzaA==\na:$7$101$c2FsdA==$aGFzaA==\n", ""),
        ("", "user b\n"),
        ("", "topic everything #\n"),
        ("", "pattern write %u/#\n"),
    ],
)
def test_files_that_a_broker_could_not_read_are_not_written(passwords: str, access: str) -> None:
    with pytest.raises(InvalidInputError):
        check_files(passwords, access)


@pytest.mark.parametrize("key", ["+", "a/b", "#"])
def test_a_device_key_that_opens_other_topics_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="other topics"):
        check_user(user(CredentialKind.DEVICE, device_key=key))
