from __future__ import annotations

from typing import TypeVar

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QWidget

from factoryops.client.fake import FakePlant
from factoryops.contracts import http
from factoryops_app.pages.factory import FactoryPage
from factoryops_app.pages.performance import PerformancePage
from factoryops_app.set_up.philosophy_tab import PhilosophyTab
from factoryops_app.set_up.positions_tab import PositionsTab
from factoryops_app.set_up.scheduled_rules_tab import ScheduledRulesTab
from factoryops_app.set_up.shifts_tab import ShiftsTab
from factoryops_app.set_up.thresholds_tab import ThresholdsTab
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until

Shown = TypeVar("Shown", bound=QWidget)


async def _open(app: ImaginedApp, key: str, kind: type[Shown], user: str = "supervisor") -> Shown:
    window = await app.log_in(user)
    window.go(PageKey.FACTORY, Target(ids=(key,)))
    page = window.current
    assert isinstance(page, FactoryPage)
    tab = page.tab(key)
    assert isinstance(tab, kind)
    return tab


async def _change_classes(plant: FakePlant) -> None:
    held = await plant.philosophy()
    changed = held.classes[1].model_copy(update={"name": "Safety of people"})
    classes = [held.classes[0], changed, *held.classes[2:]]
    change = http.PhilosophyChange(version=held.version, classes=classes, matrix=held.matrix)
    await plant.change_philosophy(change)


def test_a_shift_is_made_and_named_in_words(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "shifts", ShiftsTab)
        await until(tab.table.selected_rows)
        tab.begin_new()
        QTest.keyClicks(tab.form.name, "Weekend")
        tab.save()
        assert tab.form.errors() == {"windows": "Say when it works: add a row."}
        tab.form.windows.add_row()
        tab.form.windows.set_text(0, "days", "Sat-Sun")
        tab.save()
        await until(lambda: "Weekend" in [one.content.name for one in tab.table.rows()])
        made = next(one for one in await app.plant.shifts() if one.content.name == "Weekend")
        assert made.content.windows[0].days == [6, 7]

    client(work)


def test_a_shift_that_somebody_else_changed_first_is_not_overwritten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "shifts", ShiftsTab)
        await until(tab.table.selected_rows)
        held = tab.table.selected_rows()[0]
        update = http.ShiftUpdate(version=held.version, content=held.content.model_copy(update={"name": "Dawn"}))
        await app.plant.update_shift(held.id, update)
        QTest.keyClicks(tab.form.name, " shift")
        tab.save()
        await until(lambda: "Your changes are still here" in tab.complaint)
        assert tab.form.draft().name == f"{held.content.name} shift"

    client(work)


def test_an_operating_position_watches_areas(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "positions", PositionsTab)
        await until(lambda: "one operating position" in tab.states.message)
        tab.begin_new()
        QTest.keyClicks(tab.form.name, "Furnaces")
        tab.form.areas.fill({"Heat treatment": "Heat treatment"}, frozenset({"Heat treatment"}))
        tab.save()
        await until(lambda: [one.content.areas for one in tab.table.rows()] == [["Heat treatment"]])

    client(work)


def test_a_scheduled_rule_says_in_words_what_it_looks_at(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "scheduled", ScheduledRulesTab)
        await until(lambda: "looks at nothing" in tab.states.message)
        tab.begin_new()
        form = tab.form
        QTest.keyClicks(form.texts["name"], "Energy")
        QTest.keyClicks(form.texts["limit"], "900")
        form.boxes["parameter"].choose("power")
        form.devices.fill({"pump-1": "Feed pump 1"}, frozenset({"pump-1"}))
        assert form.boxes["shift_id"].isHidden()
        tab.save()
        await until(lambda: "devices" in form.errors())
        form.devices.fill({"compressor-1": "Air compressor"}, frozenset({"compressor-1"}))
        tab.save()
        await until(lambda: [one.content.name for one in tab.table.rows()] == ["Energy"])
        assert not form.is_changed

    client(work)


def test_a_scheduled_rule_of_an_expression_is_written_marked_and_kept(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "scheduled", ScheduledRulesTab)
        await until(lambda: "looks at nothing" in tab.states.message)
        tab.begin_new()
        form = tab.form
        assert form.expression.isHidden()
        QTest.keyClicks(form.texts["name"], "Per piece")
        QTest.keyClicks(form.texts["limit"], "900")
        box = form.boxes["looks_at"]
        box.choose("expression")
        box.activated.emit(box.currentIndex())
        assert form.boxes["parameter"].isHidden()
        assert not form.expression.isHidden()
        form.expression.setPlainText("power /")
        assert form.expression.extraSelections()
        form.devices.fill({"compressor-1": "Air compressor"}, frozenset({"compressor-1"}))
        tab.save()
        assert "expression" in form.errors()
        form.expression.setPlainText("power / 2")
        tab.save()
        await until(lambda: [one.content.expression for one in tab.table.rows()] == ["power / 2"])
        assert not form.is_changed

    client(work)


def test_a_scheduled_rule_for_every_device_needs_no_other_choice(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "scheduled", ScheduledRulesTab)
        await until(lambda: "looks at nothing" in tab.states.message)
        tab.begin_new()
        form = tab.form
        QTest.keyClicks(form.texts["name"], "Energy")
        QTest.keyClicks(form.texts["limit"], "900")
        form.boxes["parameter"].choose("power")
        tab.save()
        assert "devices" in form.errors()
        form.is_everywhere.click()
        assert not any(one.isEnabled() for one in (form.devices, form.kinds, form.areas))
        tab.save()
        await until(lambda: [one.content.scope.is_whole_factory for one in tab.table.rows()] == [True])
        form.is_everywhere.click()
        form.areas.fill({"Hall A": "Hall A"}, frozenset({"Hall A"}))
        tab.save()
        await until(lambda: [one.content.areas for one in tab.table.rows()] == [["Hall A"]])

    client(work)


def test_the_matrix_has_a_column_for_every_time_to_respond(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "classes", PhilosophyTab, "admin")
        await until(lambda: tab.states.is_content_shown)
        form = tab.form
        form.bounds.selectAll()
        QTest.keyClicks(form.bounds, "5 min")
        assert form.matrix.table.columnCount() == 3
        box = form.matrix.table.cellWidget(0, 2)
        assert isinstance(box, QComboBox)
        box.setCurrentIndex(box.findData("1"))
        form.classes.set_text(0, "longest_shelving_s", "8 d")
        tab.save()
        assert "look at the marked fields" in tab.complaint
        form.classes.set_text(0, "longest_shelving_s", "2 h")
        tab.save()
        await until(lambda: not form.is_changed)
        kept = await app.plant.philosophy()
        assert kept.matrix.response_times_s == [300.0]
        assert [int(one) for one in kept.matrix.priorities[0]] == [3, 1]
        assert kept.classes[0].longest_shelving_s == 7_200.0

    client(work)


def test_classes_that_somebody_else_changed_first_are_not_overwritten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "classes", PhilosophyTab, "admin")
        await until(lambda: tab.states.is_content_shown)
        await _change_classes(app.plant)
        tab.form.classes.set_text(0, "name", "Process and more")
        tab.save()
        await until(lambda: "Your changes are still here" in tab.complaint)
        assert tab.form.draft().classes[0].name == "Process and more"
        tab.discard.click()
        await until(lambda: tab.form.draft().classes[1].name == "Safety of people")
        assert tab.complaint == ""

    client(work)


def test_a_supervisor_reads_classes_and_is_told_who_may_change_them(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "classes", PhilosophyTab)
        await until(lambda: tab.states.is_content_shown)
        assert "an administrator may" in tab.complaint
        assert not tab.form.classes.isEnabled()

    client(work)


def test_targets_of_alarm_figures_are_changed_and_the_classes_stay(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "targets", ThresholdsTab, "admin")
        await until(lambda: tab.states.is_content_shown)
        before = await app.plant.philosophy()
        field = tab.form.fields["flood_entry"]
        field.selectAll()
        QTest.keyClicks(field, "4")
        tab.save()
        assert tab.form.errors() == {"flood_exit": "A whole number, not above the one a flood begins with."}
        field.selectAll()
        QTest.keyClicks(field, "20")
        tab.form.fields["share_of_time_good"].setText("2,5")
        tab.save()
        await until(lambda: not tab.form.is_changed)
        kept = await app.plant.philosophy()
        assert (kept.thresholds.flood_entry, kept.thresholds.share_of_time.good) == (20, 0.025)
        assert (kept.classes, kept.matrix) == (before.classes, before.matrix)
        tab.usual.click()
        assert (field.text(), tab.form.is_changed) == ("10", True)

    client(work)


def test_classes_and_targets_are_changed_side_by_side(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        classes = await _open(app, "classes", PhilosophyTab, "admin")
        await until(lambda: classes.states.is_content_shown)
        classes.form.classes.set_text(0, "name", "Process and more")
        page = app.window.current
        assert isinstance(page, FactoryPage)
        page.show_tab("targets")
        targets = page.tab("targets")
        assert isinstance(targets, ThresholdsTab)
        await until(lambda: targets.states.is_content_shown)
        targets.form.fields["busy_hour"].setText("40")
        targets.save()
        await until(lambda: not targets.form.is_changed)
        page.show_tab("classes")
        classes.save()
        await until(lambda: not classes.form.is_changed)
        kept = await app.plant.philosophy()
        assert (kept.classes[0].name, kept.thresholds.busy_hour) == ("Process and more", 40)

    client(work)


def test_figures_lead_to_their_targets_and_a_supervisor_reads_them(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        window = await app.log_in("supervisor")
        window.go(PageKey.PERFORMANCE)
        figures = window.current
        assert isinstance(figures, PerformancePage)
        figures.targets.click()
        page = window.current
        assert isinstance(page, FactoryPage)
        tab = page.tab("targets")
        assert isinstance(tab, ThresholdsTab)
        await until(lambda: tab.states.is_content_shown)
        assert "an administrator may" in tab.complaint
        assert not tab.usual.isEnabled()
        assert not tab.form.fields["flood_entry"].isEnabled()

    client(work)
