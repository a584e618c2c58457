"""Where data comes from: what formats mean, what could not be accepted, and devices that wait to be taken up."""

from __future__ import annotations

from factoryops_app.credentials_tab import CredentialsTab
from factoryops_app.mappings_tab import MappingsTab
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
            Tab("mappings", say("Mappings"), MappingsTab),
            Tab("quarantine", say("Quarantine"), QuarantineTab),
            Tab("credentials", say("Credentials"), CredentialsTab),
        ]
        super().__init__(place, say("Sources"), tabs)
        quarantine, mappings = self.tab("quarantine"), self.tab("mappings")
        if isinstance(quarantine, QuarantineTab) and isinstance(mappings, MappingsTab):
            quarantine.mapping_wanted.connect(mappings.begin_from)
            quarantine.mapping_wanted.connect(lambda _: self.show_tab("mappings"))
