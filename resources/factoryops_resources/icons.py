"""Line icons by what they mean; one set (Phosphor), in the theme's text colour."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from factoryops_resources.themes import Theme

if TYPE_CHECKING:
    from PySide6.QtGui import QIcon

_PHOSPHOR: Final = {
    "overview": "squares-four",
    "devices": "cpu",
    "trends": "chart-line",
    "alarms": "bell",
    "rules": "sliders-horizontal",
    "performance": "chart-bar",
    "notifications": "paper-plane-tilt",
    "jobs": "clock-counter-clockwise",
    "sources": "broadcast",
    "data": "database",
    "health": "heartbeat",
    "search": "magnifying-glass",
    "lock": "lock-simple",
    "acknowledge": "check",
    "acknowledge_all": "checks",
    "close": "x",
    "add": "plus",
    "remove": "trash",
    "edit": "pencil-simple",
    "save": "floppy-disk",
    "download": "download-simple",
    "report": "file-pdf",
    "export": "export",
    "copy": "copy",
    "back": "arrow-left",
    "forward": "arrow-right",
    "earlier": "caret-left",
    "later": "caret-right",
    "more": "caret-down",
    "live": "play",
    "hold": "pause",
    "run": "play",
    "stop": "stop",
    "problem": "warning-circle",
    "information": "info",
    "help": "question",
    "user": "user",
    "factory": "factory",
    "log_out": "sign-out",
    "theme": "moon",
    "cursor": "crosshair",
    "fit": "arrows-out",
    "refresh": "arrow-clockwise",
    "shown": "eye",
    "hidden": "eye-slash",
    "filter": "funnel",
    "settings": "gear",
    "keyboard": "keyboard",
    "calendar": "calendar",
    "disconnected": "link-break",
    "folder": "folder-open",
    "menu": "dots-three",
    "not_allowed": "prohibit",
    "empty": "tray",
    "language": "globe",
}
NAMES: Final = frozenset(_PHOSPHOR)


@cache
def icon(name: str, theme: Theme) -> QIcon:
    """The icon for `name`, one of NAMES (KeyError otherwise); needs a running application."""
    import qtawesome  # noqa: PLC0415 - loading its fonts takes a moment that the login window does not wait for

    drawn: QIcon = qtawesome.icon(
        f"ph.{_PHOSPHOR[name]}", color=theme.text, color_disabled=theme.secondary, color_active=theme.text
    )
    return drawn
