"""A plant of two factories with history in the InfluxDB stub, set up as an administrator does it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from factoryops.domain.samples import SeriesKey, series_id
from factoryops.history.influx.administration import Administration
from factoryops.history.influx.store import InfluxHistory
from factoryops.history.influx.tokens import Right, TokenFolder
from factoryops.history.influx.transport import InfluxConfig
from factoryops.journal.checkpoints import lowest_checkpoint
from tests.support.historian_plant import HistorianPlant
from tests.support.history_model import FACTORY, OTHER_FACTORY
from tests.support.influx_stub import STUB_ORG, STUB_TOKEN, InfluxStub

OTHER_KEY = SeriesKey(OTHER_FACTORY, "lathe", "speed")
OTHER = int(series_id(OTHER_KEY))


class Site:
    """The plant, the server and what an administrator does to it."""

    def __init__(self, plant: HistorianPlant, stub: InfluxStub) -> None:
        self.plant = plant
        self.stub = stub
        self.folder = TokenFolder(plant.folder / "influx-tokens")
        self.config = InfluxConfig(stub.url, STUB_ORG, self.folder)
        plant.keys.append(OTHER_KEY)
        self.prepare()

    def prepare(self) -> list[str]:
        return self._administer(lambda server, factory: server.prepare(factory))

    def rotate(self) -> list[str]:
        return self._administer(lambda server, factory: server.rotate(factory))

    def _administer(self, act: Callable[[Administration, str], list[str]]) -> list[str]:
        self.stub.mend()
        server = Administration(self.config, STUB_TOKEN, self.folder)
        with closing(server):
            return [word for factory in (FACTORY, OTHER_FACTORY) for word in act(server, factory)]

    def open(self) -> InfluxHistory:
        return InfluxHistory(self.config, self.plant.folder / "influx-state.db", self.plant.paths)

    def revoke(self, factory: str, right: Right = Right.WRITE) -> None:
        self.stub.tokens.pop(self.folder.get(factory, right))

    def trimmable(self) -> int:
        return lowest_checkpoint(self.plant.folder / "run" / "checkpoints", ["historian"], "journal")
