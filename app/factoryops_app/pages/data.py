"""What becomes of data: what is calculated from it, and what comes in and goes out as files."""

from __future__ import annotations

from factoryops_app.calculated_tab import CalculatedTab
from factoryops_app.navigation import tab_titles
from factoryops_app.retention_tab import RetentionTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.transfers_tab import TransfersTab
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class DataPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.DATA

    def __init__(self, place: Workplace) -> None:
        makers = (CalculatedTab, RetentionTab, TransfersTab)
        titles = tab_titles(self.key)
        tabs = [Tab(key, title, make) for (key, title), make in zip(titles.items(), makers, strict=True)]
        super().__init__(place, say("Data"), tabs)

    def try_calculated(self) -> None:
        """Draw what the chosen calculation comes to."""
        calculated = self.tab("calculated")
        if isinstance(calculated, CalculatedTab):
            calculated.form.try_it.click()
