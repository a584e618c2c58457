"""What becomes of data: what is calculated from it, and what comes in and goes out as files."""

from __future__ import annotations

from factoryops_app.calculated_tab import CalculatedTab
from factoryops_app.retention_tab import RetentionTab
from factoryops_app.tabbed_page import Tab, TabbedPage
from factoryops_app.transfers_tab import TransfersTab
from factoryops_app.workplace import PageKey, Workplace
from factoryops_resources.words import say


class DataPage(TabbedPage):
    """One tab per subject."""

    key = PageKey.DATA

    def __init__(self, place: Workplace) -> None:
        tabs = [
            Tab("calculated", say("Calculated"), CalculatedTab),
            Tab("retention", say("Retention"), RetentionTab),
            Tab("transfers", say("Import and export"), TransfersTab),
        ]
        super().__init__(place, say("Data"), tabs)

    def try_calculated(self) -> None:
        """Draw what the chosen calculation comes to."""
        calculated = self.tab("calculated")
        if isinstance(calculated, CalculatedTab):
            calculated.form.try_it.click()
