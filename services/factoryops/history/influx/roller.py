"""Keeps the roll-ups current: every hour of a series that got samples is summarised again once it is over.

The state file knows those hours from the transaction that moved the checkpoint, so late and imported samples are no
special case: their hour is read from the samples until its rows are written anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.errors import UnavailableError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.history.influx.answers import parse_answer
from factoryops.history.influx.flux import series_query
from factoryops.history.influx.lines import FLAGS, SAMPLES, SeriesName, sample_lines
from factoryops.history.influx.reader import samples_of
from factoryops.history.influx.rollups import FORMS, HOUR_US, as_samples, is_writable
from factoryops.history.influx.state import State
from factoryops.history.influx.tokens import ClosedBucketError
from factoryops.history.influx.transport import InfluxConfig, Transport
from factoryops.history.influx.upload import RefusedValue, Upload

logger = logging.getLogger(__name__)

_SETTLED_US: Final = 300 * US_PER_S
"""So long after its end an hour is summarised: most of what is late has come by then."""
_SERIES_AT_ONCE: Final = 50
_RETRY_S: Final = 60.0


class Roller:
    """Writes the roll-ups of every factory, in small pieces.

    Args:
        named: what InfluxDB calls series.
    """

    def __init__(
        self,
        config: InfluxConfig,
        state: State,
        transport: Transport,
        upload: Upload,
        named: Callable[[Sequence[int]], dict[int, SeriesName]],
    ) -> None:
        self._named = named
        self._config = config
        self._state = state
        self._transport = transport
        self._upload = upload
        self._rest_until: dict[str, float] = {}

    def run(self, *, budget_s: float) -> set[str]:
        """Summarise hours that are over, oldest first, for about `budget_s`; factories for which that failed."""
        failed: set[str] = set()
        end = time.monotonic() + budget_s
        while time.monotonic() < end:
            resting = [factory for factory, until in self._rest_until.items() if until > time.monotonic()]
            last_us = now_us() - HOUR_US - _SETTLED_US
            hour_us, factory, series = self._state.hours_to_roll(last_us, without=resting, most=_SERIES_AT_ONCE)
            if not series:
                return failed
            try:
                self._roll(factory, hour_us, series)
            except UnavailableError as error:
                logger.info("The roll-ups of factory %s wait: %s", factory, error)
                self._rest_until[factory] = time.monotonic() + _RETRY_S
                failed.add(factory)
        return failed

    def _roll(self, factory: str, hour_us: int, series: Sequence[int]) -> None:
        names = self._named(series)
        bucket, span = self._config.bucket(factory), (hour_us, hour_us + HOUR_US)
        query = series_query(bucket, list(names.values()), span, [SAMPLES, FLAGS])
        answers = parse_answer(self._transport.query(factory, query))
        never: list[int] = []
        rows: dict[int, dict[SeriesName, BinSummaries]] = {width_us: {} for width_us in FORMS}
        for one, name in names.items():
            part = samples_of(one, answers, name)
            bins = {width_us: bin_samples(part.time_us, part.value, width_us, part.flags) for width_us in FORMS}
            if all(is_writable(one_width) for one_width in bins.values()):
                for width_us, of_width in bins.items():
                    rows[width_us][name] = of_width
            else:
                never.append(one)
        refused = [one for width_us, of_width in rows.items() for one in self._write(factory, width_us, of_width)]
        with self._state.transaction():
            self._state.rolled(hour_us, [one for one in series if one not in never and not refused], never=never)
            self._state.rolled(hour_us, [], never=series if refused else [])

    def _write(self, factory: str, width_us: int, rows: Mapping[SeriesName, BinSummaries]) -> list[RefusedValue]:
        form = FORMS[width_us]
        columns, names = as_samples(rows)
        lines = sample_lines(columns, names, form)
        try:
            return self._upload.send(factory, lines, bucket=self._config.bucket(factory, form))
        except ClosedBucketError as error:
            if error.is_missing:  # made anew it will be empty, and must not be taken for all there ever was
                with self._state.transaction():
                    self._state.distrust_rollups(now_us())
            raise
