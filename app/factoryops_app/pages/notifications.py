"""Who is told of alarms: policies, people, rosters and machines; and who was told."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from factoryops_app.navigation import tab_titles
from factoryops_app.set_up.contacts_tab import ContactsTab
from factoryops_app.set_up.deliveries_tab import DeliveriesTab
from factoryops_app.set_up.hooks_tab import HooksTab
from factoryops_app.set_up.policies_tab import PoliciesTab
from factoryops_app.set_up.rosters_tab import RostersTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class NotificationsPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.NOTIFICATIONS

    def __init__(self, place: Workplace) -> None:
        makers: tuple[Callable[[Workplace], QWidget], ...] = (
            DeliveriesTab, PoliciesTab, ContactsTab, RostersTab, HooksTab,
        )  # fmt: skip
        titles = tab_titles(self.key)
        tabs = [Tab(key, title, make) for (key, title), make in zip(titles.items(), makers, strict=True)]
        super().__init__(place, say("Notifications"), tabs)
