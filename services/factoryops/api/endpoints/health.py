"""Which promises hold, and the API's own description."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from factoryops.api.call import Asking


async def get_health(asking: Asking) -> Response:
    """Which promises hold. Without a session only the status is told."""
    if asking.who is None:
        return JSONResponse({"status": asking.service.health.summary.status})
    health = await asking.service.pool.run(asking.service.health.full, asking.scope.factory_id)
    return Response(health.model_dump_json(), media_type="application/json")


async def get_description(request: Request) -> Response:
    """This description (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())
