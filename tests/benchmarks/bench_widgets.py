"""What live charts and tiles cost: share of one core without a screen, and frames per second flat out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from factoryops.domain.time import US_PER_S, now_us
from factoryops_widgets.appearance import Appearance
from factoryops_widgets.redraw_clock import RedrawClock
from factoryops_widgets.trend import Pen, TrendView
from factoryops_widgets.value_tile import TileContent, ValueTile
from tests.benchmarks.figure import Figure

WIDTH_PX: Final = 1_200
HEIGHT_PX: Final = 700
MEASURED_S: Final = 5.0
HZ: Final = 10


def measure() -> list[Figure]:
    """All figures of the widgets."""
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    look = Appearance("grey")
    look.apply_to(application)
    pens, tiles = _twenty_pens(look), _tiles(look)
    return [
        Figure("20 live pens at 10 Hz", round(pens, 1), "% of a core", "below 25", f"{WIDTH_PX}x{HEIGHT_PX}, 10 min"),
        Figure("24 value tiles at 10 Hz", round(tiles, 1), "% of a core", "", "all values change each time"),
        Figure("10 pens of 10,000 samples", round(_frames_per_s(look), 0), "frames/s", "", "repaint of everything"),
    ]


def _twenty_pens(look: Appearance) -> float:
    clock = RedrawClock(1_000 // HZ)
    trend = _trend(look, clock, pens=20, samples=6_000)
    trend.go_live(600 * US_PER_S)

    def feed() -> None:
        at = np.array([now_us()], np.int64)
        for pen in trend.pens:
            trend.append_live(pen.id, at, np.sin(at / 1e7) + int(pen.id))

    share = _cpu_share(feed)
    trend.close()
    return share


def _tiles(look: Appearance) -> float:
    clock = RedrawClock(1_000 // HZ)
    window = QWidget()
    grid = QGridLayout(window)
    content = TileContent("Temperature", "CNC-01", "°C", 1, 0, 120, 40, 85)
    tiles = [ValueTile(look, clock, content) for _ in range(24)]
    newest = now_us()
    times = np.arange(newest - 3_600 * US_PER_S, newest, 15 * US_PER_S, dtype=np.int64)
    for number, tile in enumerate(tiles):
        grid.addWidget(tile, number // 6, number % 6)
        tile.set_spark(times, 60 + np.sin(times / 1e8))
    window.show()

    def feed() -> None:
        at = np.array([now_us()], np.int64)
        for tile in tiles:
            tile.append(at, 60 + np.sin(at / 1e6))

    share = _cpu_share(feed)
    window.close()
    return share


def _frames_per_s(look: Appearance) -> float:
    trend = _trend(look, RedrawClock(1_000), pens=10, samples=10_000)
    newest = now_us()
    trend.set_span(newest - 1_000 * US_PER_S, newest)
    frames = 60
    image = QImage(WIDTH_PX, HEIGHT_PX, QImage.Format.Format_RGB32)
    trend.render(image)
    start_s = time.perf_counter()
    for _ in range(frames):
        trend.render(image)
    rate = frames / (time.perf_counter() - start_s)
    trend.close()
    return rate


def _trend(look: Appearance, clock: RedrawClock, *, pens: int, samples: int) -> TrendView:
    trend = TrendView(look, clock)
    trend.resize(WIDTH_PX, HEIGHT_PX)
    trend.set_pens([Pen(str(number), f"Pen {number}", "bar", number) for number in range(pens)])
    newest = now_us()
    times = newest - np.arange(samples, 0, -1, dtype=np.int64) * (US_PER_S // HZ)
    noise = np.random.default_rng(7)
    for number in range(pens):
        trend.append_live(str(number), times, number + np.sin(times / 1e7) + noise.normal(0, 0.05, samples))
    trend.show()
    return trend


def _cpu_share(feed: Callable[[], None]) -> float:
    """Percent of one core that this process takes while `feed` is called ten times a second."""
    timer = QTimer()
    timer.setInterval(1_000 // HZ)
    timer.timeout.connect(feed)
    timer.start()
    _spin(1.0)
    cpu_s, start_s = time.process_time(), time.perf_counter()
    _spin(MEASURED_S)
    share = 100 * (time.process_time() - cpu_s) / (time.perf_counter() - start_s)
    timer.stop()
    return share


def _spin(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(1_000 * seconds), loop.quit)
    loop.exec()
