"""The mappings of the imagined plant."""

from __future__ import annotations

from collections.abc import Callable

from factoryops.contracts import http
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import new_id
from factoryops.domain.mapping import conflict
from factoryops.domain.time import from_us


class FakeMappings:
    """Mappings in memory, with versions."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._kept: dict[str, http.KeptMapping] = {}

    def all(self) -> list[http.KeptMapping]:
        """By name."""
        return sorted(self._kept.values(), key=lambda one: (one.content.name, one.id))

    def create(self, content: http.MappingContent, actor: str) -> http.KeptMapping:
        """Add one."""
        return self._keep(new_id(), 1, content, actor)

    def update(self, mapping_id: str, update: http.MappingUpdate, actor: str) -> http.KeptMapping:
        """Change one."""
        held = self._get(mapping_id)
        if held.version != update.version:
            raise OutdatedError(f"{held.changed_by} changed this mapping meanwhile; look at it again before saving.")
        return self._keep(mapping_id, held.version + 1, update.content, actor)

    def delete(self, mapping_id: str) -> None:
        """Take one away."""
        self._get(mapping_id)
        del self._kept[mapping_id]

    def _get(self, mapping_id: str) -> http.KeptMapping:
        if mapping_id not in self._kept:
            raise NotFoundError("There is no such mapping.")
        return self._kept[mapping_id]

    def _keep(self, mapping_id: str, version: int, content: http.MappingContent, actor: str) -> http.KeptMapping:
        definition = content.definition()
        faults = definition.check()
        if faults:
            raise InvalidInputError("The mapping cannot be used.", fields=faults)
        others = (one.content for one in self._kept.values() if one.id != mapping_id and one.content.is_enabled)
        for other in others:
            reason = conflict(definition, other.definition()) if content.is_enabled else ""
            if reason:
                raise ConflictError(reason)
        self._kept[mapping_id] = http.KeptMapping(
            id=mapping_id, version=version, content=content, changed_by=actor, changed_at=from_us(self._clock())
        )
        return self._kept[mapping_id]
