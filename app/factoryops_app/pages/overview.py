"""The plant at a glance: areas, devices, their key values and worst alarms."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from factoryops.contracts import http
from factoryops_app.models.plant import Area, Measured, device_title, key_parameters
from factoryops_app.models.presence import is_offline
from factoryops_app.page import Page, plain_label
from factoryops_app.presence import presence_words
from factoryops_app.tiles import FlowGrid, TileFeed, mark_of, tile_content
from factoryops_app.workplace import PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_badge import AlarmBadge
from factoryops_widgets.value_tile import ValueTile

CARD_PX: Final = 368
_PAINTS_PER_S: Final = 4.0


class DeviceCard(QFrame):
    """A device: its name, its worst alarm and its key values.

    Attributes:
        activated: clicked, or Enter pressed on it.
    """

    activated = Signal()

    def __init__(self, place: Workplace, device: http.Device) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(device_title(device))
        px = place.look.px
        self.setMinimumWidth(px(CARD_PX))
        self.badge = AlarmBadge(place.look, place.clock)
        name = plain_label(device_title(device), role="section")
        name.setToolTip(device.key)
        kind = plain_label(" · ".join(part for part in (device.kind, device.line) if part), role="secondary")
        header = QHBoxLayout()
        header.setSpacing(px(8))
        header.addWidget(name)
        self._device = device
        self._samples = place.session.samples
        self._offline = plain_label(role="secondary")
        header.addWidget(kind, 1)
        header.addWidget(self._offline)
        header.addWidget(self.badge)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(8), px(12), px(12))
        column.setSpacing(px(8))
        column.addLayout(header)
        self.tiles = self._make_tiles(place, device)
        grid = QGridLayout()
        grid.setSpacing(px(8))
        for position, (tile, _) in enumerate(self.tiles):
            tile.activated.connect(self.activated)
            tile.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(tile, position // 2, position % 2)
        column.addLayout(grid)
        if not self.tiles:
            column.addWidget(plain_label(say("No values have come from it yet."), role="secondary"))
        column.addStretch(1)

    def show_presence(self, now: int) -> None:
        """Say since when the device is silent; nothing while it is heard."""
        is_silent = is_offline(self._samples, self._device, now)
        self._offline.setText(presence_words(self._samples, self._device, now) if is_silent else "")

    @property
    def presence(self) -> str:
        """Since when the device is silent."""
        return self._offline.text()

    def _make_tiles(self, place: Workplace, device: http.Device) -> list[tuple[ValueTile, Measured]]:
        plant = place.session.plant
        measured = [Measured(device, parameter) for parameter in device.parameters]
        ruled = [one.parameter.id for one in measured if plant.rules_on(one)]
        chosen = [Measured(device, parameter) for parameter in key_parameters(device, ruled)]
        return [(ValueTile(place.look, place.clock, tile_content(one, plant.rules_on(one))), one) for one in chosen]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click opens the device."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the device."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.activated.emit()
        else:
            super().keyPressEvent(event)


class OverviewPage(Page):
    """Areas with device cards."""

    key = PageKey.OVERVIEW

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Overview"))
        self._feed = TileFeed(place.session)
        self._cards: dict[str, DeviceCard] = {}
        self._shown: object = None
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, place.look.px(8), 0)
        self._column.setSpacing(place.look.px(8))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._content)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.states.show_loading(say("Asking for the plant …"))
        self.states.action_requested.connect(self._on_connect_help)

    def enter(self, target: Target) -> None:
        """Show the plant as it is now."""
        super().enter(target)
        session = self.place.session
        self.listen(session.plant.changed, self._rebuild)
        self.listen(session.alarms.changed, self._show_alarms)
        self.listen(session.on.filled, self._feed.renew_sparks)
        self.until_left(self.place.clock.register(self, self._on_paint, most_hz=_PAINTS_PER_S))
        if session.connection.is_connected or session.plant.devices:
            self._rebuild()

    def _on_paint(self, now: int) -> None:
        self._feed.paint(now)
        if self.place.session.connection.is_connected:
            for card in self._cards.values():
                card.show_presence(now)

    def _rebuild(self) -> None:
        plant = self.place.session.plant
        picture = ([_look_of(device) for device in plant.devices], plant.rules)
        if picture == self._shown:
            return
        self._shown = picture
        self._clear()
        areas = plant.areas()
        most = max((len(area.devices) for area in areas), default=1)
        for area in areas:
            self._add_area(area, most)
        self._column.addStretch(1)
        self._feed.set_tiles(pair for card in self._cards.values() for pair in card.tiles)
        self._show_alarms()
        count = len(plant.devices)
        self.set_title(say("Overview"), _counted(count) if count else "")
        if count:
            self.states.show_content()
        else:
            self._show_empty()

    def _clear(self) -> None:
        self._cards.clear()
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _add_area(self, area: Area, most: int) -> None:
        label = plain_label(area.name or say("Without an area"), role="section")
        grid = FlowGrid(self.place, CARD_PX, fill_up_to=most)
        for device in area.devices:
            card = DeviceCard(self.place, device)
            card.activated.connect(lambda identity=device.id: self._open(identity))
            self._cards[device.id] = card
        grid.set_items([self._cards[device.id] for device in area.devices])
        self._column.addWidget(label)
        self._column.addWidget(grid)
        self._column.addSpacing(self.place.look.px(8))

    def _show_alarms(self) -> None:
        worst = self.place.session.alarms.worst_by_device()
        for identity, card in self._cards.items():
            card.badge.set_mark(mark_of(worst.get(identity)))
        self._feed.show_marks()

    def _open(self, device_id: str) -> None:
        self.place.navigator.go(PageKey.DEVICE, Target(ids=(device_id,)))

    def _show_empty(self) -> None:
        info = self.place.session.info
        slug = info.factory.slug if info is not None else "factory"
        self.states.show_empty(
            say("No device has published yet"),
            say(
                "Each device that publishes appears here by itself, with its values and alarms.\n\n"
                "Let a device publish to the topic\n    factories/{slug}/devices/pump-1/telemetry\n"
                "the payload\n    {payload}\n\n"
                "with a user name and password from\n    factoryops-service credential add {slug} pump-1",
                slug=slug,
                payload='{"metrics": {"pressure": 4.2, "temperature": 61.5}}',
            ),
            say("Show the service's health"),
        )

    def _on_connect_help(self) -> None:
        self.place.navigator.go(PageKey.HEALTH)


def _counted(count: int) -> str:
    return say("1 device") if count == 1 else say("{count} devices", count=count)


def _look_of(device: http.Device) -> http.Device:
    """The device without what changes every second and is not drawn here."""
    return device.model_copy(update={"last_received_at": None, "late_share": 0.0})
