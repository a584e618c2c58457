"""How the factory works: shifts, alarm classes, targets, operating positions, and what the clock looks at."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from factoryops_app.navigation import tab_titles
from factoryops_app.set_up.philosophy_tab import PhilosophyTab
from factoryops_app.set_up.positions_tab import PositionsTab
from factoryops_app.set_up.scheduled_rules_tab import ScheduledRulesTab
from factoryops_app.set_up.shifts_tab import ShiftsTab
from factoryops_app.set_up.thresholds_tab import ThresholdsTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class FactoryPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.FACTORY

    def __init__(self, place: Workplace) -> None:
        makers: tuple[Callable[[Workplace], QWidget], ...] = (
            ShiftsTab, PhilosophyTab, ThresholdsTab, PositionsTab, ScheduledRulesTab,
        )  # fmt: skip
        titles = tab_titles(self.key)
        tabs = [Tab(key, title, make) for (key, title), make in zip(titles.items(), makers, strict=True)]
        super().__init__(place, say("Factory"), tabs)
