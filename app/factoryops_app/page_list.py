"""Every page, by its key."""

from __future__ import annotations

from typing import Final

from factoryops_app.main_window import PageMaker
from factoryops_app.pages.alarms import AlarmsPage
from factoryops_app.pages.data import DataPage
from factoryops_app.pages.device import DevicePage
from factoryops_app.pages.factory import FactoryPage
from factoryops_app.pages.health import HealthPage
from factoryops_app.pages.jobs import JobsPage
from factoryops_app.pages.notifications import NotificationsPage
from factoryops_app.pages.overview import OverviewPage
from factoryops_app.pages.performance import PerformancePage
from factoryops_app.pages.rules import RulesPage
from factoryops_app.pages.sources import SourcesPage
from factoryops_app.pages.trends import TrendsPage
from factoryops_app.workplace import PageKey

PAGES: Final[dict[PageKey, PageMaker]] = {
    PageKey.OVERVIEW: OverviewPage,
    PageKey.DEVICE: DevicePage,
    PageKey.TRENDS: TrendsPage,
    PageKey.ALARMS: AlarmsPage,
    PageKey.RULES: RulesPage,
    PageKey.PERFORMANCE: PerformancePage,
    PageKey.NOTIFICATIONS: NotificationsPage,
    PageKey.JOBS: JobsPage,
    PageKey.SOURCES: SourcesPage,
    PageKey.DATA: DataPage,
    PageKey.FACTORY: FactoryPage,
    PageKey.HEALTH: HealthPage,
}
