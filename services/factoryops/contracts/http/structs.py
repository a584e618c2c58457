"""Domain structs as fields of HTTP bodies: read and written by msgspec, described to everybody else by their schema."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class AsStruct:
    """Lets a body's field be a struct, or a union of structs: `Annotated[Schedule, AsStruct(Schedule)]`.

    Args:
        kind: what msgspec is to read; what it does not understand is refused with its own words.
        description: of the field in the API's description.
    """

    def __init__(self, kind: Any, description: str) -> None:
        self._kind = kind
        self._description = description

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """How pydantic reads and writes the field."""
        written = core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        return core_schema.no_info_plain_validator_function(self._read, serialization=written)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """What the API's description says of the field."""
        return {"type": "object", "description": self._description}

    def _read(self, value: object) -> object:
        try:
            return msgspec.convert(msgspec.to_builtins(value), type=self._kind)
        except (msgspec.ValidationError, RecursionError, TypeError) as error:
            raise ValueError(f"it is not understood: {error}") from error
