"""The alarms of now by list, and the history of everything that happened to alarms."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QTabWidget, QVBoxLayout

from factoryops.domain.alarms import AlarmState
from factoryops.domain.identity import Permission
from factoryops_app.alarm_history import AlarmHistory
from factoryops_app.alarm_tabs import ActiveTab, AsideTab
from factoryops_app.models.alarms import PUT_ASIDE_STATES
from factoryops_app.models.wording import alarm_state_name
from factoryops_app.page import Page
from factoryops_app.put_aside_dialog import PutAsideDialog
from factoryops_app.workplace import AlarmDeed, PageKey, Target, Workplace
from factoryops_resources.words import say
from factoryops_widgets.alarm_table import AlarmTable


class AlarmsPage(Page):
    """Tabs: what is active now, what is put aside and why, and what happened."""

    key = PageKey.ALARMS

    def __init__(self, place: Workplace) -> None:
        super().__init__(place, say("Alarms"))
        self._tabs = QTabWidget()
        self._active = ActiveTab(self)
        self._aside = {state: AsideTab(self, state) for state in PUT_ASIDE_STATES}
        self._history = AlarmHistory(place)
        self.put_aside = QPushButton(say("Put aside beforehand … (Ctrl+Shift+F8)"))
        self.put_aside.setToolTip(say("For work that will raise alarms: those that are in no list, too."))
        self.put_aside.clicked.connect(lambda: self.do_with_alarms(AlarmDeed.PUT_ASIDE))
        self.header.addWidget(self.put_aside)
        self._tabs.addTab(self._active, say("Active"))
        for state, tab in self._aside.items():
            self._tabs.addTab(tab, alarm_state_name(state))
        self._tabs.addTab(self._history, say("History"))
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._tabs)
        self._tabs.currentChanged.connect(self._on_tab)
        self.states.show_loading(say("Asking for the alarms …"))

    @property
    def active(self) -> ActiveTab:
        """The list of active alarms."""
        return self._active

    @property
    def table(self) -> AlarmTable:
        """The active alarms."""
        return self._active.table

    @property
    def history(self) -> AlarmHistory:
        """The events."""
        return self._history

    def aside(self, state: AlarmState) -> AsideTab:
        """The list of those shelved, suppressed or out of service."""
        return self._aside[state]

    def enter(self, target: Target) -> None:
        """Show what is active; an alarm in `target` is chosen in the list it is in."""
        super().enter(target)
        self.put_aside.setEnabled(self.place.session.may(Permission.SHELVE))
        self.listen(self.place.session.alarms.changed, self._show)
        self._on_tab()
        if target.ids:
            self._choose(target.ids[0])

    def _choose(self, alarm_id: str) -> None:
        alarm = self.place.session.alarms.get(alarm_id)
        tab = self._aside.get(alarm.state, self._active) if alarm is not None else self._active
        self._tabs.setCurrentWidget(tab)
        tab.select(alarm_id)

    def show_active(self) -> None:
        """Bring the active alarms to the front."""
        self._tabs.setCurrentWidget(self._active)

    def show_history(self) -> None:
        """Bring the history to the front."""
        self._tabs.setCurrentWidget(self._history)

    def show_list(self, state: AlarmState) -> None:
        """Bring a list of alarms that are put aside to the front."""
        self._tabs.setCurrentWidget(self._aside[state])

    def acknowledge_selection(self) -> None:
        """Acknowledge the chosen alarms, if they can be seen: another list in front hides what is chosen here."""
        if self._tabs.currentWidget() is self._active:
            self._active.acknowledge_selected()
        else:
            self.place.navigator.say_briefly(say("Choose an alarm on Active first."))

    def do_with_alarms(self, deed: AlarmDeed) -> None:
        """Do it with the chosen alarms of the list in front."""
        tab = self._tabs.currentWidget()
        if deed is AlarmDeed.PUT_ASIDE:
            self._put_aside_beforehand()
        elif isinstance(tab, ActiveTab | AsideTab):
            tab.do(deed)

    def _put_aside_beforehand(self) -> None:
        """Of the chosen alarm's device first; any other can be chosen."""
        if self.put_aside.isEnabled():
            tab = self._tabs.currentWidget()
            chosen = tab.chosen() if isinstance(tab, ActiveTab | AsideTab) else []
            PutAsideDialog(self.place, self, chosen[0].device_id if chosen else "").open()

    def _show(self) -> None:
        alarms = self.place.session.alarms
        if not alarms.is_known:
            return
        active = alarms.active
        self._tabs.setTabText(0, say("Active ({count})", count=len(active)))
        self._active.show_alarms(active)
        for place, (state, tab) in enumerate(self._aside.items(), 1):
            listed = alarms.put_aside(state)
            name = alarm_state_name(state)
            self._tabs.setTabText(place, f"{name} ({len(listed)})" if listed else name)
            tab.show_alarms(listed)
        self.states.show_content()

    def _on_tab(self) -> None:
        tab = self._tabs.currentWidget()
        if isinstance(tab, ActiveTab | AsideTab):
            tab.begin()
        else:
            self._history.load()
        self._show()
