from __future__ import annotations

import json

import segno
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton

from factoryops.contracts import http
from factoryops.domain.credentials import CredentialKind
from factoryops_app.credential_dialogs import CreateCredentialDialog, RotateDialog, SecretDialog
from factoryops_app.credentials_tab import CredentialsTab
from factoryops_app.pages.sources import SourcesPage
from factoryops_app.qr_picture import qr_picture
from factoryops_app.workplace import PageKey, Target
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


async def _open(app: ImaginedApp, user: str) -> CredentialsTab:
    window = await app.log_in(user)
    window.go(PageKey.SOURCES, Target(ids=("credentials",)))
    page = window.current
    assert isinstance(page, SourcesPage)
    tab = page.tab("credentials")
    assert isinstance(tab, CredentialsTab)
    return tab


async def _secret_dialog(tab: CredentialsTab) -> SecretDialog:
    await until(lambda: tab.findChild(SecretDialog))
    dialog = tab.findChild(SecretDialog)
    assert dialog is not None
    return dialog


def test_a_credential_is_made_and_its_secret_shown_once(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        await until(tab.table.rows)
        QTest.keyClick(tab.create_button, Qt.Key.Key_Space)
        dialog = tab.findChild(CreateCredentialDialog)
        assert dialog is not None
        dialog.save()
        assert "device_key" in dialog.form.errors()
        dialog.device.setCurrentText("press-9")
        dialog.name.setText("press-9")
        QTest.keyClick(dialog.name, Qt.Key.Key_Return)
        shown = await _secret_dialog(tab)
        assert shown.username.text() == "riverside.press-9"
        copies = [one for one in shown.findChildren(QPushButton) if one.text().startswith("Copy")]
        copies[0].click()
        assert QGuiApplication.clipboard().text() == shown.secret.text()
        copies[1].click()
        told = json.loads(QGuiApplication.clipboard().text())
        assert (told["username"], told["secret"]) == (shown.username.text(), shown.secret.text())
        assert shown.picture.pixmap().width() >= 280
        assert shown.picture.size() == shown.picture.pixmap().size()
        assert shown.secret.width() > shown.secret.fontMetrics().horizontalAdvance(shown.secret.text())
        shown.reject()
        await until(lambda: "riverside.press-9" in [one.username for one in tab.table.rows()])

    client(work)


def test_a_device_that_was_never_heard_is_told_from_one_that_was(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        await until(tab.table.rows)
        wanted = http.CredentialRequest(kind=CredentialKind.DEVICE, name="silent", device_key="silent")
        await app.session.client.create_credential(wanted)
        tab.load()
        await until(lambda: len(tab.table.rows()) == 4)
        heard = {one.username: tab._heard_text(one) for one in tab.table.rows()}
        assert heard["riverside.silent"] == "never"
        assert heard["riverside.hall-2-gateway"] == "–"
        assert heard["riverside.press-1"].startswith("20")

    client(work)


def test_a_gateway_needs_no_device_and_a_bad_name_is_refused_beside_its_field(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        await until(tab.table.rows)
        tab.create_button.click()
        dialog = tab.findChild(CreateCredentialDialog)
        assert dialog is not None
        dialog.kind.setCurrentIndex(dialog.kind.findData(CredentialKind.GATEWAY))
        assert not dialog.device.isEnabled()
        dialog.name.setText("a+b")
        dialog.save()
        assert "name" in dialog.form.errors()
        dialog.name.setText("gate")
        dialog.save()
        (await _secret_dialog(tab)).reject()

    client(work)


def test_a_password_is_rotated_and_the_old_one_ended(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        await until(tab.table.rows)
        tab.table.select(tab.table.rows()[0].id)
        assert not tab.settle_button.isEnabled()
        tab.rotate_button.click()
        dialog = tab.findChild(RotateDialog)
        assert dialog is not None
        assert dialog.overlap.value() == 24
        dialog.save()
        (await _secret_dialog(tab)).reject()
        await until(lambda: any(one.previous_until for one in tab.table.rows()))
        await until(tab.settle_button.isEnabled)
        tab.settle_button.click()
        _agree(tab)
        await until(lambda: not any(one.previous_until for one in tab.table.rows()))

    client(work)


def test_a_credential_is_revoked_after_a_question(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "admin")
        await until(tab.table.rows)
        gone = tab.table.rows()[0].id
        tab.table.select(gone)
        tab.revoke_button.click()
        _agree(tab)
        await until(lambda: gone not in [one.id for one in tab.table.rows()])

    client(work)


def test_who_may_not_see_credentials_is_told_who_may(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        tab = await _open(app, "supervisor")
        await until(lambda: "administrator" in tab.states.message)

    client(work)


def test_the_picture_is_the_code_dark_on_white_with_its_border(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.log_in("admin")
        text = '{"factoryops":1,"host":"plant-server.local"}'
        image = qr_picture(text, 200).toImage()
        rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
        scale = image.width() // len(rows)
        for y, row in enumerate(rows):
            for x, is_dark in enumerate(row):
                shade = image.pixelColor(x * scale + scale // 2, y * scale + scale // 2).lightness()
                assert (shade < 128) is bool(is_dark)

    client(work)


def _agree(tab: CredentialsTab) -> None:
    box = tab.findChild(QMessageBox)
    assert box is not None
    box.button(QMessageBox.StandardButton.Yes).click()
