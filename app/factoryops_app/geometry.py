"""Where windows stand, remembered and kept on a screen."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from factoryops_app.models.settings import Settings

_KEY: Final = "window.geometry"
_FIRST_SIZE: Final = (1440, 900)
_VISIBLE_PX: Final = 120


def restore_geometry(window: QWidget, settings: Settings) -> None:
    """Put a window where it stood; outside every screen it comes to the first one and shrinks to fit."""
    held = settings.value(_KEY)
    is_restored = held is not None and window.restoreGeometry(QByteArray.fromBase64(held.encode("ascii", "ignore")))
    if not is_restored:
        window.resize(*_FIRST_SIZE)
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    if not is_restored or not any(_is_reachable(window.geometry(), screen) for screen in screens):
        window.setGeometry(_fitted(window.geometry(), QGuiApplication.primaryScreen().availableGeometry()))


def store_geometry(window: QWidget, settings: Settings) -> None:
    """Remember where a window stands."""
    settings.set_value(_KEY, bytes(window.saveGeometry().toBase64().data()).decode("ascii"))


def _is_reachable(window: QRect, screen: QRect) -> bool:
    """Whether enough of the title's side can be grasped."""
    common = window.intersected(screen)
    return common.width() >= _VISIBLE_PX and common.height() >= _VISIBLE_PX and window.top() >= screen.top()


def _fitted(window: QRect, screen: QRect) -> QRect:
    width, height = min(window.width(), screen.width()), min(window.height(), screen.height())
    left = screen.left() + (screen.width() - width) // 2
    top = screen.top() + (screen.height() - height) // 2
    return QRect(left, top, width, height)
