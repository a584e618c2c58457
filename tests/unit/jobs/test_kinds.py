from __future__ import annotations

import pytest

from factoryops.contracts.http import JobKind
from factoryops.jobs.kinds import work_of


@pytest.mark.parametrize("kind", JobKind)
def test_every_kind_of_work_has_somebody_who_does_it(kind: JobKind) -> None:
    assert callable(work_of(kind))
