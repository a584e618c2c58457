from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from factoryops.contracts import http
from factoryops.domain.alarms import Priority
from factoryops.domain.bins import bin_samples
from factoryops.domain.conditions.tree import Comparison
from factoryops.domain.identity import FactoryId, device_id, parameter_id
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.samples import SeriesId
from factoryops.domain.time import US_PER_S, to_us
from factoryops.journal.records import Gap
from factoryops.reports.collect import AlarmLine, DailyFigures, DeviceFigures, ParameterFigures, Request
from factoryops.reports.daily import write_daily_report
from tests.support.rules import limit_content

START = datetime(2026, 11, 22, tzinfo=UTC)
FACTORY = FactoryId("f" * 32)
NAMES = (
    "Pump <b",
    "<b>Pump",
    "</para>",
    "<img src=file:///etc/passwd>",
    '<img src="/etc/hostname"/>',
    '<img src="http://127.0.0.1:9/x.png"/>',
    '<a href="http://example.com">x</a>',
    "<font color=\"[[[getattr(pow, Word('__globals__'))['os'].system('id') for Word in [1]]]\">x</font>",
    "<onDraw name=x label=y/>",
    "<include file='/etc/passwd'/>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&amp; &lt; &nbsp; &#0;",
    "]]><![CDATA[",
    "%s %n {0} ${HOME} `id`",
    "=cmd|' /C calc'!A0",
    "\x00\x01\x1b[31mred",
    "line\nbreak\r\ttab",
    "\u202eevil\u202c",
    "مضخة التبريد",
    "משאבה",
    "冷却水泵",
    "शीतलन पंप",
    "Насос №1",
    "🔥 Boiler 🚒",
    "e\u0301 combining",
    "\ud800 lone surrogate".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "x" * 10_240,
    "wide " * 2_000,
    "W" * 100,
    " ",
    "a(b)c\\d",
    "\ufeffBOM",
)


def parameter_of(name: str, number: int) -> ParameterFigures:
    times = np.arange(0, 86_400, 30, dtype=np.int64) * US_PER_S + to_us(START)
    bins = bin_samples(times, np.sin(times / 1e10 + number), 60 * US_PER_S)
    parameter = Parameter(
        parameter_id(FACTORY, str(number), "p"), FACTORY, device_id(FACTORY, str(number)), SeriesId(number + 1), "p",
        name, name,
    )  # fmt: skip
    return ParameterFigures(parameter, bins, 2_880, -1.0, 0.0, 1.0, 0.5, 1.0, 60 * US_PER_S)


def figures_of(names: tuple[str, ...]) -> DailyFigures:
    devices = tuple(
        DeviceFigures(
            Device(device_id(FACTORY, str(number)), FACTORY, str(number), name, name, name, name),
            (parameter_of(name, number),),
        )
        for number, name in enumerate(names)
    )
    alarms = tuple(
        AlarmLine(name, name, Priority(1 + number % 4), START, START + timedelta(hours=1), START, name, name, 1.0)
        for number, name in enumerate(names)
    )
    rule = http.Rule(
        id="b" * 32, version=1, changed_by="x", changed_at=START,
        content=limit_content(
            name="Limit", parameter_key="p", comparison=Comparison.ABOVE, limit=0.5, priority=Priority.HIGH
        ),
    )  # fmt: skip
    gaps = tuple(Gap(to_us(START), to_us(START) + US_PER_S, name) for name in names)
    return DailyFigures(
        Request(FACTORY, START, START + timedelta(days=1)), Factory(FACTORY, "x", names[0], "Asia/Kolkata"), devices,
        alarms, False, (rule,), gaps, 3, None, "0" * 64,
    )  # fmt: skip


_watched: list[tuple[str, str]] = []
_watching_thread: int | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    is_ours = threading.get_ident() == _watching_thread
    if is_ours and event in {"open", "socket.connect", "subprocess.Popen", "os.system", "urllib.Request", "exec"}:
        _watched.append((event, str(arguments[0])))


@pytest.fixture
def watched() -> list[tuple[str, str]]:
    sys.addaudithook(_audit)
    _watched.clear()
    return _watched


@contextmanager
def watching() -> Iterator[None]:
    global _watching_thread  # noqa: PLW0603 - an audit hook stays for good, so a switch turns it off
    _watching_thread = threading.get_ident()
    try:
        yield
    finally:
        _watching_thread = None


def test_a_report_on_hostile_names_is_built_shows_them_as_typed_and_opens_nothing(
    tmp_path: Path, watched: list[tuple[str, str]]
) -> None:
    write_daily_report(figures_of(("Насос",)), tmp_path / "first.pdf", lambda _, __: None)  # loads the fonts
    target = tmp_path / "report.pdf"
    figures = figures_of(NAMES)
    with watching():
        result = write_daily_report(figures, target, lambda _, __: None)
    assert {name for event, name in watched if event == "open"} <= {str(target)}
    assert not [event for event in watched if event[0] != "open"]
    reader = PdfReader(target)
    assert len(reader.pages) == result["pages"]
    text = "".join(page.extract_text() for page in reader.pages).replace("\u200b", "")
    for name in ("Pump <b", "<b>Pump", "</para>", "%s %n {0}", "=cmd|", "&amp; &lt; &nbsp; &#0;"):
        assert name in text, name
    assert "root:" not in text


def test_a_report_without_devices_or_alarms_is_still_a_document(tmp_path: Path) -> None:
    empty = DailyFigures(
        Request(FACTORY, START, START + timedelta(days=1)), Factory(FACTORY, "x", "New plant", "UTC"), (), (), False,
        (), (), None, START, "0" * 64,
    )  # fmt: skip
    write_daily_report(empty, tmp_path / "report.pdf", lambda _, __: None)
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "report.pdf").pages)
    assert "There was no alarm in this period." in text
    assert "The history store was away" in text


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.pdf", "two.pdf"):
        write_daily_report(figures_of(("Pump", "Fan")), tmp_path / name, lambda _, __: None)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
