from __future__ import annotations

import time

from factoryops_app.pages.overview import OverviewPage
from factoryops_app.pages.trends import TrendsPage
from factoryops_app.workplace import PageKey
from factoryops_widgets.alarm_banner import LinkState
from factoryops_widgets.value_tile import Freshness, ValueTile
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


def tiles(app: ImaginedApp) -> list[ValueTile]:
    page = app.window.current
    assert isinstance(page, OverviewPage)
    return page.findChildren(ValueTile)


def all_are(app: ImaginedApp, freshness: Freshness) -> bool:
    shown = [tile for tile in tiles(app) if not tile.visibleRegion().isEmpty()]
    return bool(shown) and all(tile.freshness is freshness for tile in shown)


def test_a_cut_link_is_on_the_screen_within_three_seconds_and_nothing_pretends(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.log_in()
        await until(lambda: all_are(app, Freshness.LIVE), what="live values")
        app.plant.cut_link()
        cut_s = time.monotonic()
        await until(lambda: app.window.banner.facts.link is not LinkState.CONNECTED, what="the banner")
        await until(lambda: all_are(app, Freshness.DISCONNECTED), what="struck values")
        assert time.monotonic() - cut_s < 3.0
        assert app.window.banner.facts.link_since_us is not None
        app.plant.restore_link()
        await until(lambda: app.window.banner.facts.link is LinkState.CONNECTED, what="the link")
        await until(lambda: all_are(app, Freshness.LIVE), what="live values again")

    client(work)


def test_the_trend_is_one_line_again_after_the_link_was_lost(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in()
        window.go(PageKey.TRENDS)
        page = window.current
        assert isinstance(page, TrendsPage)
        page.trend.go_live(120_000_000)
        await until(lambda: all(value is not None for value in page.trend.live_values().values()) and page.trend.pens)
        app.plant.cut_link()
        await until(lambda: app.session.connection.is_lost)
        app.plant.restore_link()
        await until(lambda: app.session.connection.is_connected)
        start_us, end_us = page.trend.span_us
        middle = range(start_us + 10_000_000, end_us - 10_000_000, 5_000_000)

        def is_whole() -> bool:
            return all(value is not None for at in middle for value in page.trend.readings(at).values())

        await until(is_whole, what="a line without holes")

    client(work)


def test_a_session_ended_by_an_administrator_leads_back_to_the_login(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.log_in()
        app.plant.end_sessions()
        await until(app.shell.login.isVisible)
        assert app.shell.window is None
        assert "log in again" in app.shell.login.message

    client(work)
