"""Settings: one TOML file, checked whole at start, overridable by FACTORYOPS_… environment variables.

Paths in the file are relative to the file. Secrets are never in it: it names the files that hold them.
"""

from __future__ import annotations

import ipaddress
import os
import stat
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from factoryops.domain.errors import SetupError

Port = Annotated[int, Field(ge=0, le=65_535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Section):
    """Where metadata lives.

    Attributes:
        url: an SQLAlchemy URL (mysql+pymysql://user@host/name); None for the embedded SQLite file.
        password_file: a file with the password, readable by the service's user only.
    """

    url: str | None = None
    password_file: Path | None = None


class EndpointSettings(_Section):
    """The service's own MQTT endpoint: without TLS on loopback, with TLS for the plant's network.

    Attributes:
        host, port: without TLS.
        is_plain_enabled: whether devices may connect without TLS at all.
        allow_plain: whether they may do so from other machines, every password readable on the way.
        tls_host, tls_port: with TLS, which there is when `certificate_file` and `key_file` are given.
        client_ca_file: when given, devices must show a certificate of this authority beside their password.
        device_messages_per_s, device_mib_per_s: what one connection may send for long; 0 for no bound.
        factory_messages_per_s: what all devices of a factory may send together; 0 for no bound.
    """

    is_enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 1883
    is_plain_enabled: bool = True
    allow_plain: bool = False
    tls_host: str = "0.0.0.0"  # noqa: S104 - a certificate is given to be shown to the plant's network
    tls_port: Port = 8883
    certificate_file: Path | None = None
    key_file: Path | None = None
    client_ca_file: Path | None = None
    most_connections: Annotated[int, Field(ge=1)] = 10_000
    most_connections_per_address: Annotated[int, Field(ge=1)] = 5_000
    most_connections_per_user: Annotated[int, Field(ge=1)] = 2_000
    device_messages_per_s: Annotated[float, Field(ge=0)] = 20_000.0
    device_mib_per_s: Annotated[float, Field(ge=0)] = 16.0
    factory_messages_per_s: Annotated[float, Field(ge=0)] = 0.0

    @property
    def has_tls(self) -> bool:
        """Whether devices can connect over TLS."""
        return self.certificate_file is not None


class DevicesSettings(_Section):
    """What devices are told when they get a credential: where to connect.

    Attributes:
        host: as devices reach it; by default the endpoint's, or this machine's name.
        port, use_tls: by default the endpoint's.
        ca_file: the authority that signed the certificate there; by default the plant's own, if it has one.
    """

    host: str | None = None
    port: Port | None = None
    use_tls: bool | None = None
    ca_file: Path | None = None


class BrokerSettings(_Section):
    """An outside broker to receive from.

    Attributes:
        max_queued_messages / max_queued_bytes / memory_limit: as in its configuration, 0 for no limit; half of one is
            a warning.
        configuration_file: its mosquitto.conf, where it lies on this machine: reviewed at the start and ever after.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    host: str
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None
    use_tls: bool = False
    ca_file: Path | None = None
    max_queued_messages: Annotated[int, Field(ge=0)] = 1_000_000
    max_queued_bytes: Annotated[int, Field(ge=0)] = 2 << 30
    memory_limit: Annotated[int, Field(ge=0)] = 4 << 30
    configuration_file: Path | None = None


class IngestSettings(_Section):
    """How messages are taken.

    Attributes:
        dialect_b_factory: the slug of the factory that topics devices/<device>/telemetry belong to; None for none.
    """

    dialect_b_factory: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,99}$")] | None = None


class InfluxSettings(_Section):
    """An InfluxDB 2 server to keep history in."""

    url: str
    org: str
    bucket_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")] = "factoryops-"
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    is_compressed: bool = False


class HistorySettings(_Section):
    """Where samples are kept: the embedded history.db, or InfluxDB."""

    kind: Literal["local", "influx"] = "local"
    influx: InfluxSettings | None = None
    seal_every_s: Annotated[float, Field(gt=0, le=600)] = 10.0


class ApiSettings(_Section):
    """Where clients connect. Beyond loopback a certificate is required."""

    host: str = "127.0.0.1"
    port: Port = 8420
    certificate_file: Path | None = None
    key_file: Path | None = None


class JournalSettings(_Section):
    """How much the journals may take."""

    size_limit_gib: Annotated[float, Field(gt=0.05)] = 20.0


class TransferSettings(_Section):
    """Import and export."""

    upload_limit_gib: Annotated[float, Field(gt=0, le=100)] = 2.0


class SmtpSettings(_Section):
    """The mail server alarms are sent through.

    Attributes:
        security: "starttls", "tls" from the first byte, or "none" (loopback and a plant's own network).
        sender: the address messages come from.
        ca_file: the authority to trust instead of the system's own.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password_file: Path | None = None
    sender: Annotated[str, Field(pattern=r"^[^@\s<>\x00-\x1f]+@[A-Za-z0-9.-]+$")]
    ca_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0


class TwilioSettings(_Section):
    """The account SMS and WhatsApp messages are sent through.

    Attributes:
        sms_from: the number, or the messaging service's id, that SMS come from; without it there are none.
        whatsapp_from: the number WhatsApp messages come from; without it there are none.
    """

    account_sid: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
    auth_token_file: Path
    sms_from: str | None = None
    whatsapp_from: str | None = None
    url: str = "https://api.twilio.com"


class HookSettings(_Section):
    """Where webhooks and chat hooks may lead.

    Attributes:
        allowed_networks: networks that are not public and may be reached all the same, such as 10.1.0.0/16.
        allowed_hosts: when given, no other host is asked at all.
        allow_http: whether messages may travel without TLS.
    """

    allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allow_http: bool = False


class NotificationSettings(_Section):
    """How alarms reach people outside the control room; without a section a channel says that it is not set up."""

    smtp: SmtpSettings | None = None
    twilio: TwilioSettings | None = None
    hooks: HookSettings = HookSettings()


class LogSettings(_Section):
    """What is logged."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Settings(BaseSettings):
    """Everything plant IT can set; the defaults are the embedded installation on loopback."""

    model_config = SettingsConfigDict(env_prefix="FACTORYOPS_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data_folder: Path = Path("data")
    database: DatabaseSettings = DatabaseSettings()
    endpoint: EndpointSettings = EndpointSettings()
    devices: DevicesSettings = DevicesSettings()
    brokers: tuple[BrokerSettings, ...] = ()
    ingest: IngestSettings = IngestSettings()
    history: HistorySettings = HistorySettings()
    api: ApiSettings = ApiSettings()
    journal: JournalSettings = JournalSettings()
    transfer: TransferSettings = TransferSettings()
    notifications: NotificationSettings = NotificationSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file (which arrives as init values)."""
        return env_settings, init_settings


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where each file of an installation lies."""

    root: Path

    @property
    def journals(self) -> dict[str, Path]:
        """Journal name -> file."""
        return {name: self.root / f"{name}.db" for name in ("journal", "derived", "import")}

    @property
    def history(self) -> Path:
        """The embedded history."""
        return self.root / "history.db"

    @property
    def influx_state(self) -> Path:
        """How far the upload to InfluxDB has come."""
        return self.root / "influx-state.db"

    @property
    def influx_tokens(self) -> Path:
        """Two token files per factory, made by `influx setup`."""
        return self.root / "influx-tokens"

    @property
    def metadata(self) -> Path:
        """The embedded metadata database."""
        return self.root / "factoryops.db"

    @property
    def heartbeats(self) -> Path:
        """One file per role."""
        return self.root / "run" / "heartbeat"

    @property
    def doorbells(self) -> Path:
        """Ports of those who want to be told of news."""
        return self.root / "run" / "doorbell"

    @property
    def checkpoints(self) -> Path:
        """How far the journals' consumers have come."""
        return self.root / "run" / "checkpoints"

    @property
    def lock(self) -> Path:
        """Held by the one running service."""
        return self.root / "run" / "service.lock"

    @property
    def snapshot(self) -> Path:
        """Factories, devices and credentials for ingest, signed."""
        return self.root / "snapshot.bin"

    @property
    def retention(self) -> Path:
        """How long history is kept, for the historian."""
        return self.root / "retention.json"

    @property
    def instance_key(self) -> Path:
        """The installation's own key."""
        return self.root / "instance.key"

    @property
    def logins(self) -> Path:
        """When MQTT credentials were last used."""
        return self.root / "run" / "logins.json"

    @property
    def broker(self) -> Path:
        """Secrets of our own users at an outside broker."""
        return self.root / "broker"

    @property
    def certificates(self) -> Path:
        """The plant's own certificate authority."""
        return self.root / "certificates"

    @property
    def artifacts(self) -> Path:
        """Reports and results, a folder per factory."""
        return self.root / "artifacts"

    @property
    def uploads(self) -> Path:
        """Files that wait to be imported, a folder per factory."""
        return self.root / "uploads"

    @property
    def logs(self) -> Path:
        """Log files, one per role, rotated."""
        return self.root / "logs"

    def prepare(self) -> None:
        """Make the folders; raises SetupError when the place cannot be written."""
        try:
            for folder in (self.heartbeats, self.doorbells, self.checkpoints, self.artifacts, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root / "run"):  # every role asks at the same moment
                pass
        except OSError as error:
            raise SetupError(
                f"The data folder {self.root} cannot be written ({error.strerror or error}). "
                "Nothing can be kept; give the service's user the right to write it, or set data_folder elsewhere."
            ) from error


def simulated_faults(folder: DataFolder) -> Path:
    """The file by which a running simulator is told to break and mend machines."""
    return folder.root / "run" / "simulated-faults.json"


def data_folder(settings: Settings) -> DataFolder:
    """The installation's folder, its sub-folders made; raises SetupError when it cannot be written."""
    folder = DataFolder(settings.data_folder.absolute())
    folder.prepare()
    return folder


def load_settings(file: Path | None) -> Settings:
    """The settings of `file`, or the defaults when there is none; raises SetupError naming each fault."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SetupError(f"The settings file {file} cannot be read ({error.strerror}).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SetupError(f"The settings file {file} is not valid TOML: {error}.") from error
    if file is not None:
        values = _placed(values, file.absolute().parent)
    try:
        settings = Settings(**values)
    except SettingsError as error:
        raise SetupError(f"An environment variable cannot be used: {error}. Nothing was started.") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise SetupError(f"The settings cannot be used: {faults}. Nothing was started.") from error
    _check_combinations(settings)
    return settings


def _placed(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same settings with every path that is relative made to start at the file's own folder."""
    placed: dict[str, Any] = {"data_folder": str(folder / "data")} if "data_folder" not in values else {}
    for key, value in values.items():
        if isinstance(value, dict):
            placed[key] = _placed_section(value, folder)
        elif isinstance(value, list):
            placed[key] = [_placed_section(one, folder) if isinstance(one, dict) else one for one in value]
        else:
            placed[key] = _placed_value(key, value, folder)
    return placed


def _placed_section(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        key: _placed_section(value, folder) if isinstance(value, dict) else _placed_value(key, value, folder)
        for key, value in section.items()
    }


def _placed_value(key: str, value: object, folder: Path) -> object:
    is_path = key == "data_folder" or key.endswith("_file")
    return str(folder / value) if is_path and isinstance(value, str) else value


def _check_combinations(settings: Settings) -> None:
    if settings.history.kind == "influx" and settings.history.influx is None:
        raise SetupError("history.kind is influx, but there is no [history.influx] section to say where it is.")
    if settings.endpoint.is_enabled:
        _check_endpoint(settings.endpoint)
    api = settings.api
    if (api.certificate_file is None) != (api.key_file is None):
        raise SetupError("api.certificate_file and api.key_file belong together; give both or neither.")
    if not is_loopback(api.host) and api.certificate_file is None:
        raise SetupError(
            f"api.host is {api.host}, which other machines can reach, but there is no certificate. "
            "Set api.certificate_file and api.key_file, or bind to 127.0.0.1."
        )


def _check_endpoint(endpoint: EndpointSettings) -> None:
    if (endpoint.certificate_file is None) != (endpoint.key_file is None):
        raise SetupError("endpoint.certificate_file and endpoint.key_file belong together; give both or neither.")
    if endpoint.client_ca_file is not None and not endpoint.has_tls:
        raise SetupError("endpoint.client_ca_file asks devices for certificates, but the endpoint has none of its own.")
    if not endpoint.is_plain_enabled and not endpoint.has_tls:
        raise SetupError("The endpoint has neither a certificate nor is_plain_enabled: no device could connect.")
    if endpoint.is_plain_enabled and not is_loopback(endpoint.host) and not endpoint.allow_plain:
        raise SetupError(
            f"endpoint.host is {endpoint.host}, which other machines can reach, and everything sent there, passwords "
            "included, can be read on the way. Set endpoint.certificate_file and key_file and leave host at 127.0.0.1; "
            "or, on a network of the devices' own, set endpoint.allow_plain = true."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_secret(file: Path) -> str:
    """The secret a file holds; raises SetupError when it is missing, empty or open to others."""
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(f"The secret file {file} cannot be read ({error.strerror}).") from error
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(f"The secret file {file} can be read by others; run chmod 600 on it.")
    if not text:
        raise SetupError(f"The secret file {file} is empty.")
    return text


def settings_file_from_environment() -> Path | None:
    """The file FACTORYOPS_CONFIG names, if it does."""
    named = os.environ.get("FACTORYOPS_CONFIG")
    return Path(named) if named else None
