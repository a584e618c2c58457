"""How ingest is set up; every path and address is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """The MQTT endpoint of our own.

    Attributes:
        port: 0 takes any free one.
        connect_timeout_s: how long a connection may stay without a CONNECT.
        most_connections: beyond it new connections are closed at once.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    connect_timeout_s: float = 10.0
    most_connections: int = 10_000


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """An outside MQTT broker.

    Its own access rules decide who may publish to which topic: what it delivers is taken as authorised.

    Attributes:
        name: a short word for logs and the health page, unique among the brokers.
        client_id: must stay the same for ever (the broker keeps our queue under it) and be ours alone.
        keep_alive_s: also bounds how long a dead link goes unnoticed.
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


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """What the ingest role needs.

    Attributes:
        journal_path: the journal this role alone writes.
        checkpoints_folder: where consumers say how far they have come.
        snapshot_path / snapshot_key: the signed file of factories, devices and credentials.
        consumers: who must have read a row before it may go.
        size_limit_bytes: above it nothing more is received until consumers have caught up.
        replay_window_s: how long rows stay after everybody has read them.
        logins_path: where to note when credentials were last used; None for nowhere.
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
    replay_window_s: float = 86_400.0
    logins_path: Path | None = None
