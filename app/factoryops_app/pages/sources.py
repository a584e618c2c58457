"""Where data comes from: what could not be accepted, and devices that wait to be taken up."""

from __future__ import annotations

from factoryops_app.quarantine_tab import QuarantineTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.waiting_tab import WaitingTab
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class SourcesPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.SOURCES

    def __init__(self, place: Workplace) -> None:
        tabs = [
            Tab("waiting", say("Waiting devices"), WaitingTab),
            Tab("quarantine", say("Quarantine"), QuarantineTab),
        ]
        super().__init__(place, say("Sources"), tabs)
