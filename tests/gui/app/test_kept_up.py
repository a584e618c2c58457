"""A view that is brought up to date while it is seen asks one question at a time."""

from __future__ import annotations

import asyncio

from factoryops.domain.errors import FactoryOpsError
from factoryops_app.kept_up import KeptUpView
from factoryops_app.workplace import Workplace
from tests.gui.app.conftest import Drive
from tests.support.imagined_app import ImaginedApp
from tests.support.waiting import until


class Slow(KeptUpView):
    """Answers when it is let, in the words it was asked with."""

    def __init__(self, place: Workplace) -> None:
        super().__init__(place)
        self._timer.setInterval(1)
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.answers: list[str] = []

    def keep_up(self) -> None:
        self.ask(self.fetch("the clock"))

    def on_failure(self, error: FactoryOpsError) -> None:
        self.answers.append(str(error))

    async def fetch(self, who: str) -> None:
        self.asked += 1
        await self.may_answer.wait()
        self.answers.append(who)


def test_the_clock_waits_for_an_answer_and_a_person_does_not(client: Drive) -> None:
    async def work(app: ImaginedApp) -> None:
        page = (await app.log_in()).current
        assert page is not None
        view = Slow(page.place)
        ticks = 0

        def tick() -> None:
            nonlocal ticks
            ticks += 1

        view._timer.timeout.connect(tick)
        view.show()
        await until(lambda: ticks >= 5)
        assert view.asked == 1
        view.ask(view.fetch("somebody"))
        await until(lambda: view.asked == 2)
        view.hide()
        view.may_answer.set()
        await until(lambda: view.answers)
        assert view.answers == ["somebody"]
        view.deleteLater()

    client(work)
