"""A dispatcher that dies anywhere: every alarm is told, none twice, but for a message whose answer we never noted."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.dispatcher_run import STEPS, DispatcherRun


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=25))
def test_wherever_the_dispatcher_dies_each_alarm_is_told_once(migrated_sqlite: Path, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated_sqlite, Path(folder) / "factoryops.db")
        run = DispatcherRun(Path(folder))
        try:
            for step in steps:
                run.do(step)
            run.finish()
            run.check()
        finally:
            run.told.database.close()
