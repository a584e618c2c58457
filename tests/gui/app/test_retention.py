from __future__ import annotations

from PySide6.QtTest import QTest

from factoryops.contracts import http
from factoryops_app.pages.data import DataPage
from factoryops_app.retention_tab import RetentionTab
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


async def _open(app: ImaginedApp, user: str) -> RetentionTab:
    window = await app.log_in(user)
    window.go(PageKey.DATA, Target(ids=("retention",)))
    page = window.current
    assert isinstance(page, DataPage)
    tab = page.tab("retention")
    assert isinstance(tab, RetentionTab)
    await until(lambda: tab.states.is_content_shown or "kept for ever" in tab.states.message)
    return tab


def test_a_rule_is_written_checked_and_saved(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        tab.begin_new()
        tab.name.clear()
        QTest.keyClicks(tab.name, "Vibration")
        QTest.keyClicks(tab.parameters, "vibration, pressure")
        tab.days["raw_days"].setValue(30)
        tab.days["minute_days"].setValue(10)
        assert tab.form.errors() == {"minute_days": "must not be less than the days samples are kept"}
        tab.days["minute_days"].setValue(365)
        assert tab.form.errors() == {}
        tab.save()
        await until(lambda: not tab.is_changed)
        held = await app.session.client.retention()
        assert held.rules == [
            http.RetentionRule(
                name="Vibration", parameters=["vibration", "pressure"], raw_days=30, minute_days=365, hour_days=0
            )
        ]
        tab.remove()
        tab.save()
        await until(lambda: "kept for ever" in tab.states.message)

    client(work)


def test_who_may_not_change_it_can_look_at_it(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "operator")
        tab.begin_new()
        assert not tab.is_changed
        assert "not change them" in tab.complaint

    client(work)
