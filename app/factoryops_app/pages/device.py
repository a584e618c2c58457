"""One device: all its values live, its trend, its alarms, its parameters."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QComboBox, QFrame, QPushButton, QScrollArea, QTabWidget, QVBoxLayout

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.identity import Permission
from factoryops.domain.time import US_PER_S, now_us
from factoryops_app.alarm_lines import alarm_line
from factoryops_app.chart import ChartFeed
from factoryops_app.models.alarms import answers_to
from factoryops_app.models.plant import LATE_SHARE, WRONG_CLOCK_S, Measured, device_title
from factoryops_app.page import Page, plain_label
from factoryops_app.plant_dialogs import DeviceDialog, ParameterDialog
from factoryops_app.presence import presence_words
from factoryops_app.put_aside_dialog import PutAsideDialog
from factoryops_app.tiles import FlowGrid, TileFeed, tile_content
from factoryops_app.workplace import AlarmDeed, PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_table import AlarmTable
from factoryops_widgets.data_table import ColumnSpec, DataTable
from factoryops_widgets.formatting import NOTHING, age, number
from factoryops_widgets.trend import TrendView
from factoryops_widgets.value_tile import ValueTile

_TREND_US: Final = 30 * 60 * US_PER_S
_TILE_PX: Final = 168
_STRIP_PX: Final = 240


class DevicePage(Page):
    """A device in full."""

    key = PageKey.DEVICE

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Devices"))
        self._device_id: str | None = None
        self._shown: object = None
        self._chosen_parameter: str | None = None
        self._tile_feed = TileFeed(place.session)
        self._tiles: dict[str, ValueTile] = {}
        self._received = plain_label(role="secondary")
        self._late = plain_label(is_wrapped=True, role="error")
        self._late.hide()
        self._choice = QComboBox()
        self._choice.setAccessibleName(say("Device"))
        self._choice.setMinimumWidth(place.look.px(200))
        self._edit = QPushButton(place.look.icon("edit"), say("Edit device"))
        self.put_aside = QPushButton(say("Put alarms aside …"))
        self.put_aside.setToolTip(say("Before work on the device that will raise alarms (Ctrl+Shift+F8)"))
        self._to_trends = QPushButton(place.look.icon("trends"), say("Show in trends"))
        self._grid = FlowGrid(place, _TILE_PX)
        self.trend = TrendView(place.look, place.clock)
        self.feed = ChartFeed(place, self.trend)
        self.alarms = AlarmTable(place.look, place.clock, place.settings)
        self.parameters: DataTable[http.Parameter] = DataTable(
            place.look, self._columns(), name="parameters", settings=place.settings, row_key=lambda one: one.id
        )
        self._tabs = QTabWidget()
        self._build()
        self._connect()
        self.trend.go_live(_TREND_US)
        self.states.show_loading(say("Asking for the plant …"))

    def _build(self) -> None:
        px = self.place.look.px
        for widget in (self._received, self._choice, self.put_aside, self._to_trends, self._edit):
            self.header.addWidget(widget)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self._grid)
        self._tabs.addTab(self.trend, say("Trend"))
        self._tabs.addTab(self.alarms, say("Alarms"))
        self._tabs.addTab(self.parameters, say("Parameters"))
        self._grid.arranged.connect(lambda height: scroll.setFixedHeight(min(height, px(_STRIP_PX))))
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(8))
        column.addWidget(self._late)
        column.addWidget(scroll)
        column.addWidget(self._tabs, 1)

    def _connect(self) -> None:
        self._choice.activated.connect(self._on_choice)
        self._edit.clicked.connect(self._on_edit)
        self._to_trends.clicked.connect(self._on_to_trends)
        self.put_aside.clicked.connect(lambda: self.do_with_alarms(AlarmDeed.PUT_ASIDE))
        self.alarms.acknowledge_requested.connect(self._acknowledge)
        self.alarms.activated.connect(self._on_alarm)
        self.parameters.row_activated.connect(self._on_parameter)
        self.states.action_requested.connect(lambda: self.place.navigator.go(PageKey.OVERVIEW))

    def _columns(self) -> list[ColumnSpec[http.Parameter]]:
        titles = {
            "low": say("Range from"),
            "high": say("Range to"),
            "normal_low": say("Normal from"),
            "normal_high": say("Normal to"),
        }

        def figure(pick: str) -> ColumnSpec[http.Parameter]:
            def value(one: http.Parameter) -> float | None:
                held: float | None = getattr(one, pick)
                return held

            return ColumnSpec(
                pick, titles[pick], value, lambda one: number(value(one), one.decimals), is_number=True, width=110
            )

        return [
            ColumnSpec("name", say("Name"), lambda one: one.name, width=220, is_elastic=True),
            ColumnSpec("key", say("Key"), lambda one: one.key, width=180),
            ColumnSpec("unit", say("Unit"), lambda one: one.unit or NOTHING, width=80),
            ColumnSpec("decimals", say("Decimals"), lambda one: one.decimals, is_number=True, width=90),
            *(figure(pick) for pick in titles),
        ]

    @property
    def device(self) -> http.Device | None:
        """The device that is shown."""
        return self.place.session.plant.device(self._device_id) if self._device_id is not None else None

    @property
    def warning(self) -> str:
        """What is wrong with the device's clock."""
        return self._late.text() if self._late.isVisibleTo(self) else ""

    def enter(self, target: Target) -> None:
        """Show the device in `target`, the last one shown, or the first of the plant."""
        super().enter(target)
        session = self.place.session
        if target.ids and target.ids[0] != self._device_id:
            self._device_id = target.ids[0]
            self._chosen_parameter = None
        self.listen(session.plant.changed, self._show)
        self.listen(session.alarms.changed, self._show_alarms)
        self.listen(session.on.filled, self._tile_feed.renew_sparks)
        self.until_left(self.place.clock.register(self, self._on_paint, most_hz=4.0))
        self._show()
        self.feed.open()

    def leave(self) -> None:
        """Stop feeding the chart."""
        super().leave()
        self.feed.close()

    def acknowledge_selection(self) -> None:
        """Acknowledge the chosen alarms of the device."""
        self._acknowledge([line.id for line in self.alarms.selected()])

    def do_with_alarms(self, deed: AlarmDeed) -> None:
        """Put alarms of the device aside beforehand."""
        if deed is AlarmDeed.PUT_ASIDE and self.device is not None and self.put_aside.isEnabled():
            PutAsideDialog(self.place, self, self.device.id).open()

    # --- showing -----------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        plant = self.place.session.plant
        if not plant.devices:
            if self.place.session.connection.is_connected:
                self.states.show_empty(
                    say("No device has published yet"),
                    say("A device appears by itself with its first message."),
                    say("How to connect one"),
                )
            return
        if self.device is None:
            self._device_id = plant.devices[0].id
        device = self.device
        if device is None:
            return
        self._fill_choice(device)
        where = " · ".join(part for part in (device.kind, device.area, device.line) if part)
        self.set_title(device_title(device), where)
        may_edit = self.place.session.may(Permission.EDIT_PLANT)
        self._edit.setVisible(may_edit)
        self.put_aside.setEnabled(self.place.session.may(Permission.SHELVE))
        self.states.show_content()
        self._show_late(device)
        self._show_tiles(device)
        self.parameters.set_rows(device.parameters)
        self._show_alarms()

    def _fill_choice(self, device: http.Device) -> None:
        devices = self.place.session.plant.devices
        names = [(device_title(one), one.id) for one in devices]
        held = [(self._choice.itemText(at), self._choice.itemData(at)) for at in range(self._choice.count())]
        if names != held:
            self._choice.clear()
            for name, identity in names:
                self._choice.addItem(name, identity)
        self._choice.setCurrentIndex(self._choice.findData(device.id))

    def _show_late(self, device: http.Device) -> None:
        if abs(device.clock_offset_s) > WRONG_CLOCK_S:
            self._late.setVisible(True)
            self._late.setText(_clock_words(device.clock_offset_s))
            return
        self._late.setVisible(device.late_share >= LATE_SHARE)
        self._late.setText(
            say(
                "{share} % of this device's samples came too late in the last hour: they are stored but never alarm. "
                "Check its clock.",
                share=round(device.late_share * 100),
            )
        )

    def _show_tiles(self, device: http.Device) -> None:
        plant = self.place.session.plant
        picture = (device.id, tuple(device.parameters), plant.rules)
        if picture == self._shown:
            return
        self._shown = picture
        measured = [Measured(device, parameter) for parameter in device.parameters]
        self._tiles = {
            one.parameter.id: ValueTile(self.place.look, self.place.clock, tile_content(one, plant.rules_on(one)))
            for one in measured
        }
        for identity, tile in self._tiles.items():
            tile.activated.connect(lambda chosen=identity: self._choose(chosen))
        self._grid.set_items(list(self._tiles.values()))
        self._tile_feed.set_tiles((self._tiles[one.parameter.id], one) for one in measured)
        if self._chosen_parameter not in self._tiles:
            self._chosen_parameter = measured[0].parameter.id if measured else None
        self._show_trend()

    def _choose(self, parameter_id: str) -> None:
        self._chosen_parameter = parameter_id
        self._tabs.setCurrentWidget(self.trend)
        self._show_trend()

    def _show_trend(self) -> None:
        chosen = self.place.session.plant.parameter(self._chosen_parameter or "")
        self.feed.set_pens([chosen] if chosen is not None else [])
        self._tabs.setTabText(0, say("Trend: {name}", name=chosen.title) if chosen is not None else say("Trend"))

    def _show_alarms(self) -> None:
        if self._device_id is None:
            return
        session = self.place.session
        alarms = session.alarms.of_device(self._device_id)
        self.alarms.set_lines([alarm_line(alarm, session.plant) for alarm in alarms])
        self._tabs.setTabText(1, say("Alarms ({count})", count=len(alarms)))
        self._tile_feed.show_marks()

    def _on_paint(self, now: int) -> None:
        self._tile_feed.paint(now)
        self._received.setText(self._received_text())

    def _received_text(self) -> str:
        device = self.device
        return "" if device is None else presence_words(self.place.session.samples, device, now_us())

    # --- acting ------------------------------------------------------------------------------------------------------

    def _on_choice(self, row: int) -> None:
        self.place.navigator.go(PageKey.DEVICE, Target(ids=(str(self._choice.itemData(row)),)))

    def _on_to_trends(self) -> None:
        ids = (self._chosen_parameter,) if self._chosen_parameter is not None else ()
        self.place.navigator.go(PageKey.TRENDS, Target(ids=ids))

    def _on_alarm(self, alarm_id: str) -> None:
        self.place.navigator.go(PageKey.ALARMS, Target(ids=(alarm_id,)))

    def _acknowledge(self, ids: list[str]) -> None:
        session = self.place.session
        held = [session.alarms.get(identity) for identity in ids]
        requests = answers_to(alarm for alarm in held if alarm is not None)
        if requests:
            told = self.place.navigator.say_briefly
            self.place.tasks.start(session.acknowledge(requests, told), self.mention)

    def _on_edit(self) -> None:
        if self.device is not None:
            DeviceDialog(self.place, self, self.device).open()

    def _on_parameter(self, parameter: http.Parameter) -> None:
        if self.place.session.may(Permission.EDIT_PLANT):
            ParameterDialog(self.place, self, parameter).open()
        else:
            self.mention(FactoryOpsError(say("Your role does not permit changing parameters.")))


def _clock_words(offset_s: float) -> str:
    """What is wrong with a clock; `offset_s` must be added to it."""
    length = age(abs(offset_s))
    if offset_s > 0:
        wrong = say("This device's clock is {length} slow.", length=length)
    else:
        wrong = say("This device's clock is {length} fast.", length=length)
    rest = say("Its alarms are on time all the same; its samples keep the times they were sent with. Set its clock.")
    return f"{wrong} {rest}"
