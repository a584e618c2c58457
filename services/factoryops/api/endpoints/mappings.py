"""Mappings: kept, changed, and tried on a message before they go live."""

from __future__ import annotations

from factoryops.api.call import Asking
from factoryops.contracts import http
from factoryops.contracts.http.trials import outcome_of


async def list_mappings(asking: Asking) -> http.MappingList:
    """All mappings of the factory, by name."""
    return http.MappingList(mappings=await asking.read(lambda tx: tx.mappings(asking.scope).list()))


async def create_mapping(body: http.MappingContent, asking: Asking) -> http.KeptMapping:
    """Add a mapping; ingest applies it within seconds when it is switched on."""
    return await asking.change(lambda tx: tx.mappings(asking.scope).create(body))


async def update_mapping(mapping_id: http.Identifier, body: http.MappingUpdate, asking: Asking) -> http.KeptMapping:
    """Change a mapping; refused when somebody else changed it first, or one in use has overlapping topics."""
    return await asking.change(lambda tx: tx.mappings(asking.scope).update(mapping_id, body.version, body.content))


async def delete_mapping(mapping_id: http.Identifier, asking: Asking) -> None:
    """Take a mapping away; samples made by it stay."""
    await asking.change(lambda tx: tx.mappings(asking.scope).delete(mapping_id))


async def try_a_mapping(body: http.MappingTrial, asking: Asking) -> http.MappingOutcome:
    """What a mapping would make of a message; nothing is kept."""
    return await asking.service.pool.run(outcome_of, body)
