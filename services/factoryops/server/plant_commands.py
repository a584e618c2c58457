"""`replay` and `simulate`: telemetry without a plant."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from factoryops.contracts.snapshot import signature_of
from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.time import from_us
from factoryops.identity import credentials
from factoryops.observability.heartbeat import read_heartbeats
from factoryops.server.console import is_terminal, say
from factoryops.server.context import Context, choose_factory, context_of
from factoryops.server.role_process import run_role, watched_lifeline
from factoryops.server.settings import Settings, data_folder, read_secret, simulated_faults
from factoryops.simulator.commands import FaultFile
from factoryops.simulator.connection import MqttTarget
from factoryops.simulator.publisher import SimulatorConfig, SimulatorService
from factoryops.simulator.replay import ReplayOptions, ReplayProgress, ReplayResult, replay
from factoryops.simulator.trip import ALARMS, begin_trip, end_trip, prepare_trip

_KNOWN_WITHIN_S: Final = 5.0


class TripStep(StrEnum):
    """What is to happen with a plant trip."""

    PREPARE = "prepare"
    BEGIN = "begin"
    END = "end"


Broker = Annotated[
    str | None, typer.Option(help="An outside broker, host:port; by default the service's own endpoint.")
]
Username = Annotated[str | None, typer.Option(help="The MQTT user name there.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with its password, readable by you alone.")]
FactorySlug = Annotated[str | None, typer.Option(help="The factory's slug, where there are several.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("replay")(replay_recording)
    app.command()(simulate)


def replay_recording(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file with a header and a column of times.")],
    device: Annotated[str, typer.Option(help="The key of the device to publish as.")],
    speed: Annotated[float, typer.Option(help="1 as recorded, 10 ten times as fast, 0 as fast as acknowledged.")] = 1.0,
    at: Annotated[
        str | None, typer.Option(help="The time of the last row, such as 2026-11-20T08:00:00Z; by default now.")
    ] = None,
    with_truth: Annotated[
        bool, typer.Option("--with-truth", help="Publish anomaly and changepoint columns too.")
    ] = False,
    factory: FactorySlug = None,
    broker: Broker = None,
    username: Username = None,
    password_file: PasswordFile = None,
) -> None:
    """Publish a recording as the device that measured it would have; the last row is now."""
    options = ReplayOptions(file=file, device_key=device, speed=speed, at=_moment(at), is_truth_included=with_truth)
    with _target(context_of(context), factory, broker, username, password_file) as target:
        result = _replay_with_progress(options, target)
    say(
        f"{result.acknowledged} of {result.rows} rows were acknowledged ({result.values} values of "
        f"{len(result.signals)} signals) in {result.seconds:.1f} s."
    )
    say(f"They lie at {result.first_at.isoformat()} to {result.last_at.isoformat()}.")
    if result.skipped_cells or result.skipped_rows:
        say(f"{result.skipped_rows} rows and {result.skipped_cells} cells held no number and were left out.")
    if not result.is_complete:
        raise typer.Exit(1)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"--at is a time such as 2026-11-20T08:00:00Z; {text} is not.") from error
    if moment.tzinfo is None:
        raise InvalidInputError(f"--at needs a zone, so that {text} means one moment: add Z for UTC, or an offset.")
    return moment


def _replay_with_progress(options: ReplayOptions, target: MqttTarget) -> ReplayResult:
    stop = threading.Event()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not is_terminal()) as progress:
        task = progress.add_task("acknowledged", total=None)

        def show(moment: ReplayProgress) -> None:
            progress.update(task, completed=moment.acknowledged, total=moment.rows)

        try:
            return replay(options, target, on_progress=show, stop=stop)
        except KeyboardInterrupt:
            stop.set()
            raise


def simulate(
    context: typer.Context,
    fault: Annotated[
        list[str] | None, typer.Option(help="Break a machine of the running simulator: pump-1:cavitation.")
    ] = None,
    mend: Annotated[str | None, typer.Option(help="Mend a machine of the running simulator, or all.")] = None,
    trip: Annotated[
        TripStep | None, typer.Option(help="A plant trip of 500 alarms: prepare its rules, begin it, or end it.")
    ] = None,
    return_after: Annotated[float, typer.Option(min=0, help="End a trip by itself after seconds; 0 for never.")] = 0.0,
    factory: FactorySlug = None,
    broker: Broker = None,
    username: Username = None,
    password_file: PasswordFile = None,
    lifeline: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Publish a simulated plant until stopped; with --fault and --mend, command the one that runs; or let it trip."""
    ours = context_of(context)
    fault_file = simulated_faults(data_folder(ours.settings()))
    if fault or mend:
        _command(FaultFile(fault_file), fault or [], mend)
        return
    if trip is TripStep.PREPARE:
        _prepare_trip(ours, factory)
        return
    with _target(ours, factory, broker, username, password_file) as target:
        if trip is not None:
            _trip(target, trip, return_after)
            return
        say(f"Publishing a simulated plant to {target.host}:{target.port}; stop with Ctrl-C.")
        service = SimulatorService(SimulatorConfig(target, fault_file))
        code = run_role(service.run, lifeline=watched_lifeline(lifeline))
    raise typer.Exit(code)


def _prepare_trip(ours: Context, factory: str | None) -> None:
    with ours.database() as database:
        added = prepare_trip(database, choose_factory(database, factory).id)
    say(f"{added} rules were added; `simulate --trip begin` now raises {ALARMS} alarms within one second.")


def _trip(target: MqttTarget, step: TripStep, return_after_s: float) -> None:
    if step is TripStep.BEGIN:
        began_us = begin_trip(target)
        say(f"The plant has tripped: {ALARMS} samples were acknowledged, the first is of {from_us(began_us)}.")
        if not return_after_s:
            return
        threading.Event().wait(return_after_s)
    end_trip(target)
    say("Everything has returned to normal.")


def _command(faults: FaultFile, begin: list[str], mend: str | None) -> None:
    if mend:
        say(f"{faults.end(None if mend == 'all' else mend)} faults ended.")
    for one in faults.begin(begin) if begin else ():
        say(f"{one.device}: {one.kind} begins now.")


@contextmanager
def _target(
    ours: Context, factory: str | None, broker: str | None, username: str | None, password_file: Path | None
) -> Iterator[MqttTarget]:
    """Where to publish; for our own endpoint with a credential that lives as long as the command."""
    settings = ours.settings()
    with ours.database() as database:
        chosen = choose_factory(database, factory)
    if broker is not None or username is not None:
        host, port = _host_and_port(broker, settings)
        password = read_secret(password_file) if password_file else None
        yield MqttTarget(host, port, chosen.slug, username, password)
        return
    with ours.database() as database:
        made = credentials.create_credential(
            database, chosen.id, username=f"{chosen.slug}.command.{secrets.token_hex(4)}"
        )
    try:
        host, port = _host_and_port(None, settings)
        _wait_until_known(settings)
        yield MqttTarget(host, port, chosen.slug, made.username, made.secret)
    finally:
        with ours.database() as database:
            credentials.revoke_credential(database, chosen.id, made.username)


def _wait_until_known(settings: Settings) -> None:
    """Wait until ingest works from the newest snapshot, so that a credential just made is good.

    Raises:
        UnavailableError: the service does not run.
    """
    folder = data_folder(settings)
    wanted = signature_of(folder.snapshot.read_bytes())
    deadline, pause = time.monotonic() + _KNOWN_WITHIN_S, threading.Event()
    while time.monotonic() < deadline:
        beat = read_heartbeats(folder.heartbeats).get("ingest")
        if beat is not None and beat.figures.get("snapshot") == wanted:
            return
        pause.wait(0.1)
    raise UnavailableError("The service does not run on this data folder, so nothing can be published. Start it first.")


def _host_and_port(broker: str | None, settings: Settings) -> tuple[str, int]:
    if broker is None:
        if not (settings.endpoint.is_enabled and settings.endpoint.is_plain_enabled):
            raise InvalidInputError(
                "The service has no MQTT endpoint without TLS, which this command publishes to. Name a broker, or set "
                "endpoint.is_enabled and endpoint.is_plain_enabled; on loopback nobody else can read it."
            )
        return settings.endpoint.host, settings.endpoint.port
    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidInputError(f"The broker is written host:port, for instance localhost:1883; {broker} is not.")
    return host, int(port)
