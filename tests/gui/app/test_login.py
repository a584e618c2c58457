from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLineEdit

from factoryops.client.fake import ACCOUNTS
from factoryops.domain.errors import TooManyAttemptsError, UnavailableError
from factoryops_app.login_window import LoginWindow
from factoryops_app.models.tokens import account_name
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import SERVER, ImaginedApp
from tests.support.waiting import until


def fill(login: LoginWindow, factory: str, user: str, password: str) -> None:
    texts = {"Factory": factory, "User": user, "Password": password}
    for field in login.findChildren(QLineEdit):
        if field.accessibleName() in texts:
            field.setText(texts[field.accessibleName()])


def press_enter(login: LoginWindow) -> None:
    field = next(one for one in login.findChildren(QLineEdit) if one.accessibleName() == "Password")
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_a_right_password_and_enter_open_the_main_window(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        fill(app.shell.login, "riverside", "operator", ACCOUNTS["operator"][0])
        press_enter(app.shell.login)
        await until(lambda: app.shell.window is not None)
        assert app.window.isVisible()
        assert not app.shell.login.isVisible()
        assert app.settings.value("login.factory") == "riverside"
        assert app.settings.value("login.user") == "operator"

    client(work)


def test_a_wrong_password_is_told_in_a_sentence_and_typed_again(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        fill(app.shell.login, "riverside", "operator", "wrong")
        press_enter(app.shell.login)
        await until(lambda: app.shell.login.message)
        assert app.shell.login.message == "Factory, user or password is wrong."
        assert app.shell.window is None
        field = next(one for one in app.shell.login.findChildren(QLineEdit) if one.accessibleName() == "Password")
        assert field.text() == ""
        assert field.isEnabled()

    client(work)


def test_a_missing_field_is_asked_for_before_the_service_is(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        app.plant.fail_next(UnavailableError("must not be asked"))
        fill(app.shell.login, "riverside", "operator", "")
        press_enter(app.shell.login)
        assert "Fill in" in app.shell.login.message

    client(work)


def test_a_throttled_login_says_to_wait(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        app.plant.fail_next(TooManyAttemptsError("Too many attempts; wait 30 s."))
        fill(app.shell.login, "riverside", "operator", "wrong")
        press_enter(app.shell.login)
        await until(lambda: app.shell.login.message)
        assert "wait 30 s" in app.shell.login.message

    client(work)


def test_without_a_keyring_the_login_is_for_this_run_only_and_says_so(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        fill(app.shell.login, "riverside", "operator", ACCOUNTS["operator"][0])
        app.shell.login.findChildren(QCheckBox)[0].setChecked(True)
        press_enter(app.shell.login)
        await until(lambda: app.shell.window is not None and app.window.status)
        assert "no keyring" in app.window.status

    client(work)


def test_a_kept_token_logs_in_again_and_a_dead_one_is_forgotten(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        await app.plant.login("riverside", "operator", ACCOUNTS["operator"][0])
        account = account_name(SERVER, "riverside", "operator")
        app.tokens.kept[account] = app.plant.token or ""
        assert await app.shell.resume(SERVER, "riverside", "operator")
        assert app.window.isVisible()
        app.plant.end_sessions()
        await until(app.shell.login.isVisible)
        assert "log in again" in app.shell.login.message
        assert not await app.shell.resume(SERVER, "riverside", "operator")
        assert account not in app.tokens.kept

    client(work)


def test_the_password_is_never_printed() -> None:
    from factoryops_app.login_window import LoginEntry  # noqa: PLC0415 - beside what it proves

    assert "secret" not in repr(LoginEntry(SERVER, "riverside", "operator", "secret", is_kept=True))
