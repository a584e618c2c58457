"""How everything looks and reads right now: theme, size, time zone and language, one object for the whole client."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from PySide6.QtCore import QObject, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from factoryops_resources import words
from factoryops_resources.icons import icon
from factoryops_resources.stylesheet import stylesheet, write_glyphs
from factoryops_resources.themes import Theme, load_theme

LABEL_PT: Final = 9.0
BODY_PT: Final = 10.0
SECTION_PT: Final = 12.0
TITLE_PT: Final = 16.0
SMALLEST_SCALE: Final = 0.8
LARGEST_SCALE: Final = 2.0

_FAMILIES: Final = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans", "Helvetica Neue", "Arial")


class Appearance(QObject):
    """Theme, size, zone and language; widgets repaint on `changed`.

    Attributes:
        changed: any of them is different now.
    """

    changed = Signal()

    def __init__(
        self,
        theme_name: str = "grey",
        zone: ZoneInfo | None = None,
        *,
        scale: float = 1.0,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = load_theme(theme_name)
        self._zone = zone or ZoneInfo("UTC")
        self._scale = scale
        self._application: QApplication | None = None
        self._glyphs = QTemporaryDir()
        self._families = _installed(_FAMILIES)
        self._fonts: dict[tuple[float, bool], QFont] = {}

    @property
    def theme(self) -> Theme:
        """The tokens of the chosen theme."""
        return self._theme

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown: the factory's."""
        return self._zone

    @property
    def scale(self) -> float:
        """The size of text and controls; 1.0 is 100 %."""
        return self._scale

    def set_theme(self, name: str) -> None:
        """Change the theme; one of THEME_NAMES."""
        self._theme = load_theme(name)
        self._announce()

    def set_zone(self, zone: ZoneInfo) -> None:
        """Change the zone in which times are shown."""
        self._zone = zone
        self._announce()

    def set_scale(self, scale: float) -> None:
        """Change the size of text and controls, within 0.8 and 2.0."""
        self._scale = min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)
        self._fonts.clear()
        self._announce()

    def set_language(self, code: str) -> None:
        """Change the language of everything that reads `say` on `changed`."""
        words.set_language(code)
        self._announce()

    def apply_to(self, application: QApplication) -> None:
        """Dress the whole application, now and on every change."""
        self._application = application
        application.setStyle("Fusion")
        self._dress(application)

    def font(self, points: float = BODY_PT, *, is_bold: bool = False) -> QFont:
        """The one family with tabular figures; `points` at 100 % size."""
        wanted = self._fonts.get((points, is_bold))
        if wanted is None:
            wanted = self._fonts[points, is_bold] = self._made_font(points, is_bold=is_bold)
        return wanted

    def icon(self, name: str) -> QIcon:
        """A line icon in the theme's text colour."""
        return icon(name, self._theme)

    def px(self, length: float) -> int:
        """A length of the 4 px grid at the chosen size."""
        return round(length * self._scale)

    def _made_font(self, points: float, *, is_bold: bool) -> QFont:
        font = QFont(self._families)
        font.setPointSizeF(points * self._scale)
        if is_bold:
            font.setWeight(QFont.Weight.DemiBold)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def _announce(self) -> None:
        if self._application is not None:
            self._dress(self._application)
        self.changed.emit()

    def _dress(self, application: QApplication) -> None:
        folder = Path(self._glyphs.path())
        write_glyphs(self._theme, folder)
        application.setFont(self.font(BODY_PT))
        application.setPalette(_palette(self._theme))
        application.setStyleSheet(stylesheet(self._theme, scale=self._scale, glyph_folder=folder))


def _installed(wanted: tuple[str, ...]) -> list[str]:
    present = set(QFontDatabase.families())
    return [family for family in wanted if family in present] or [QFont().defaultFamily()]


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, colour in (
        (roles.Window, theme.base),
        (roles.WindowText, theme.text),
        (roles.Base, theme.raised),
        (roles.AlternateBase, theme.panel),
        (roles.Text, theme.text),
        (roles.Button, theme.raised),
        (roles.ButtonText, theme.text),
        (roles.ToolTipBase, theme.raised),
        (roles.ToolTipText, theme.text),
        (roles.Highlight, theme.accent),
        (roles.HighlightedText, theme.on_accent),
        (roles.Link, theme.accent),
        (roles.LinkVisited, theme.accent),
        (roles.PlaceholderText, theme.secondary),
        (roles.Mid, theme.line),
        (roles.Dark, theme.line),
        (roles.Light, theme.raised),
    ):
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.secondary))
    return palette
