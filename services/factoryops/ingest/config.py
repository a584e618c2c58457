"""How ingest is set up; every path and address is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """The endpoint's listener for devices on the plant's network.

    Attributes:
        port: 0 takes any free one.
        certificate_file, key_file: PEM; taken over anew when they change.
        client_ca_file: when given, a device must show a certificate of this authority beside its password.
    """

    host: str
    port: int
    certificate_file: Path
    key_file: Path
    client_ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """The MQTT endpoint of our own.

    Attributes:
        host, port: of the listener without TLS; port 0 takes any free one.
        is_plain_enabled: whether there is one.
        tls: the listener with TLS.
        connect_timeout_s: how long a connection may stay without a CONNECT.
        most_connections: beyond it new connections are closed at once.
        most_per_address, most_per_user: connections from one address, and with one user name.
        device_messages_per_s, device_bytes_per_s: what one connection may send for long; 0 for no bound.
        factory_messages_per_s: what all connections of one factory may send together; 0 for no bound.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    is_plain_enabled: bool = True
    tls: TlsConfig | None = None
    connect_timeout_s: float = 10.0
    most_connections: int = 10_000
    most_per_address: int = 5_000
    most_per_user: int = 2_000
    device_messages_per_s: float = 20_000.0
    device_bytes_per_s: float = 16 * 2.0**20
    factory_messages_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """An outside MQTT broker.

    Its own access rules decide who may publish to which topic: what it delivers is taken as authorised.

    Attributes:
        name: a short word for logs and the health page, unique among the brokers.
        client_id: must stay the same for ever (the broker keeps our queue under it) and be ours alone.
        keep_alive_s: also bounds how long a dead link goes unnoticed.
        max_queued_messages / max_queued_bytes / memory_limit_bytes: what its configuration permits; 0 for no limit.
            Half of any of them is a warning.
        configuration_file: its mosquitto.conf, where it lies on this machine: reviewed at the start and ever after.
    """

    name: str
    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    use_tls: bool = False
    ca_file: Path | None = None
    client_id: str = "factoryops-ingest"
    keep_alive_s: int = 30
    max_queued_messages: int = 1_000_000
    max_queued_bytes: int = 2 << 30
    memory_limit_bytes: int = 4 << 30
    configuration_file: Path | None = None


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """What the ingest role needs.

    Attributes:
        journal_path: the journal this role alone writes.
        checkpoints_folder: where consumers say how far they have come.
        snapshot_path / snapshot_key: the signed file of factories, devices and credentials.
        consumers: who must have read a row before it may go.
        size_limit_bytes: above it nothing more is received until consumers have caught up.
        other_journals: files of the same disk that count as well: what is calculated and imported.
        replay_window_s: how long rows stay after everybody has read them.
        logins_path: where to note when credentials were last used; None for nowhere.
        dialect_b_factory: the slug of the factory that topics of the form devices/<device>/telemetry belong to; "" for
            none.
    """

    journal_path: Path
    checkpoints_folder: Path
    doorbell_folder: Path
    heartbeat_folder: Path
    snapshot_path: Path
    snapshot_key: bytes
    endpoint: EndpointConfig | None = EndpointConfig()
    brokers: tuple[BrokerConfig, ...] = ()
    consumers: tuple[str, ...] = ("historian", "engine")
    size_limit_bytes: int = 20 << 30
    other_journals: tuple[Path, ...] = ()
    replay_window_s: float = 86_400.0
    logins_path: Path | None = None
    dialect_b_factory: str = ""
