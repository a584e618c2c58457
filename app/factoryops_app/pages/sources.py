"""Where data comes from: what formats mean, what could not be accepted, and devices that wait to be taken up."""

from __future__ import annotations

from factoryops_app.credentials_tab import CredentialsTab
from factoryops_app.mappings_tab import MappingsTab
from factoryops_app.navigation import tab_titles
from factoryops_app.quarantine_tab import QuarantineTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.waiting_tab import WaitingTab
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class SourcesPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.SOURCES

    def __init__(self, place: Workplace) -> None:
        makers = (WaitingTab, MappingsTab, QuarantineTab, CredentialsTab)
        titles = tab_titles(self.key)
        tabs = [Tab(key, title, make) for (key, title), make in zip(titles.items(), makers, strict=True)]
        super().__init__(place, say("Sources"), tabs)
        quarantine, mappings = self.tab("quarantine"), self.tab("mappings")
        if isinstance(quarantine, QuarantineTab) and isinstance(mappings, MappingsTab):
            quarantine.mapping_wanted.connect(mappings.begin_from)
            quarantine.mapping_wanted.connect(lambda _: self.show_tab("mappings"))
