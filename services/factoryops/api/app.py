"""The API as one ASGI application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from factoryops.api.alarm_board import AlarmBoard
from factoryops.api.call import Service
from factoryops.api.context import ApiContext
from factoryops.api.edge import Edge
from factoryops.api.flood_book import FloodBook
from factoryops.api.guard import GuardedRoute
from factoryops.api.health_book import HealthBook
from factoryops.api.hub import Hub
from factoryops.api.live import LiveDoor
from factoryops.api.openapi import describe
from factoryops.api.plant_cache import PlantCache
from factoryops.api.pool import WorkPool
from factoryops.api.problems import answer_error, answer_invalid, answer_plain
from factoryops.api.rate_limits import Cost, RateLimits
from factoryops.api.routes import LIVE_PATH, PREFIX, ROUTES, Route
from factoryops.domain.errors import FactoryOpsError

_FILE_BODY: Final = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_DATABASE_THREADS: Final = 8
_HISTORY_THREADS: Final = 4


def build_app(context: ApiContext) -> FastAPI:
    """The application; its lifespan starts and stops the live hub. Serve it with `server_options.UVICORN_OPTIONS`."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = _start(context)
        app.state.service = service
        await service.hub.start()
        try:
            yield
        finally:
            await service.hub.stop()
            await service.pool.close()
            await service.history_pool.close()
            service.health.close()

    return _assemble(context.version, lifespan)


def build_openapi(version: str = "0.1.0") -> dict[str, Any]:
    """The API's description (OpenAPI 3.1), without a database or any other part of the service."""
    return describe(_assemble(version, None))


def _assemble(version: str, lifespan: Any) -> FastAPI:
    app = FastAPI(
        title="FactoryOps", version=version, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.router.route_class = GuardedRoute
    for route in ROUTES:
        _add(app, route)
    app.router.add_websocket_route(LIVE_PATH, LiveDoor().open_live, name="openLive")
    app.add_exception_handler(FactoryOpsError, answer_error)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_plain)
    app.add_middleware(Edge)
    document: dict[str, Any] = {}

    def description() -> dict[str, Any]:
        if not document:
            document.update(describe(app))
        return document

    app.openapi = description  # type: ignore[method-assign]  # the way FastAPI documents for a description of one's own
    return app


def _add(app: FastAPI, route: Route) -> None:
    responses: dict[int | str, dict[str, Any]] = {}
    if route.is_file:
        responses[200] = {"description": "The file.", "content": {"application/octet-stream": {"schema": {}}}}
    app.router.add_api_route(
        PREFIX + route.path,
        route.endpoint,
        methods=[route.method],
        operation_id=route.operation,
        tags=[route.tag],
        response_model=route.answer,
        status_code=route.status,
        responses=responses,
        openapi_extra={"requestBody": _FILE_BODY} if route.takes_file else None,
    )


def _start(context: ApiContext) -> Service:
    limits = context.limits
    pool = WorkPool(threads=_DATABASE_THREADS, timeout_s=limits.query_s)
    plants = PlantCache(context.database, pool)
    board = AlarmBoard()
    floods = FloodBook(context.database, pool, board)
    health = HealthBook(
        heartbeat_folder=context.heartbeat_folder, roles=context.roles, journals=context.journals,
        reader=context.reader, version=context.version,
    )  # fmt: skip
    per_min = {
        Cost.LIGHT: limits.light_per_min,
        Cost.HISTORY: limits.history_per_min,
        Cost.WORK: limits.work_per_min,
    }
    return Service(
        context=context,
        pool=pool,
        history_pool=WorkPool(threads=_HISTORY_THREADS, timeout_s=limits.query_s),
        rate_limits=RateLimits(per_min, at_once=limits.history_at_once),
        plants=plants,
        board=board,
        floods=floods,
        health=health,
        hub=Hub(context, pool, plants, board, floods, health),
    )
