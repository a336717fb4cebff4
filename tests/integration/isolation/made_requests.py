"""Requests made from an OpenAPI document: one that fits each operation, and one for each value
at each place that takes a string, so that a new route is driven without a word here."""

import copy
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

from PIL import Image

NOBODYS_ID = "00000000-0000-4000-8000-00000000dead"
_METHODS = ("get", "post", "put", "patch", "delete")
_PLACES = {"path", "query", "header"}
Schema = Mapping[str, Any]


@dataclass
class Made:
    """A request to be sent: where each part of it goes."""

    method: str
    path: str
    operation_id: str
    parts: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    body: Any = None
    media_type: str = ""
    tried: str = ""

    def arguments(self) -> dict[str, Any]:
        """What a client is told to send it."""
        address = self.path
        for name, value in self.parts.get("path", {}).items():
            address = address.replace(f"{{{name}}}", quote(str(value), safe=""))
        sent: dict[str, Any] = {"method": self.method, "url": address}
        sent["params"] = self.parts.get("query") or None
        sent["headers"] = {name: str(value) for name, value in self.parts.get("header", {}).items()}
        if self.media_type == "multipart/form-data":
            files = {name: one for name, one in self.body.items() if isinstance(one, tuple)}
            sent |= {"files": files, "data": {k: v for k, v in self.body.items() if k not in files}}
        elif self.media_type == "application/x-www-form-urlencoded":
            sent["data"] = self.body
        elif self.body is not None:
            sent["json"] = self.body
        return sent


@dataclass(frozen=True)
class Slot:
    """A place for a string: of the path, the query, the headers or inside the body."""

    place: str
    keys: tuple[str | int, ...]
    schema: Schema

    @property
    def name(self) -> str:
        """What the document calls it."""
        return str(next(key for key in reversed(self.keys) if isinstance(key, str)))

    def takes(self, value: str) -> bool:
        """Whether the document lets the value stand here."""
        kind = self.schema.get("format")
        if kind == "uuid":
            return _is_uuid(value)
        if kind in {"date", "date-time", "binary"} or "enum" in self.schema:
            return False
        pattern = self.schema.get("pattern")
        longest = self.schema.get("maxLength", len(value))
        return len(value) <= longest and (pattern is None or bool(re.search(pattern, value)))


class Operation:
    """One operation of the document."""

    def __init__(self, document: Schema, path: str, method: str, described: Schema) -> None:
        self._document = document
        self.path, self.method = path, method.upper()
        self.operation_id: str = described["operationId"]
        self._parameters = [one for one in described.get("parameters", []) if one["in"] in _PLACES]
        content = described.get("requestBody", {}).get("content", {})
        self._media_type, body = next(iter(content.items()), ("", {}))
        self._body: Schema | None = body.get("schema")

    @property
    def proves_who_asks(self) -> bool:
        """Whether it takes a password or a token: it is slow on purpose, and asks for nothing."""
        return any(re.search("password|token", slot.name) for slot in self.slots())

    @property
    def ends_session(self) -> bool:
        """Whether whoever sends it is signed out."""
        return "logout" in self.path

    def base(self) -> Made:
        """A request that fits, and names nothing that is there."""
        made = Made(self.method, self.path, self.operation_id, media_type=self._media_type)
        for one in self._parameters:
            if one.get("required"):
                value = self._example(one["schema"], one["name"])
                made.parts.setdefault(one["in"], {})[one["name"]] = value
        if self._body is not None:
            made.body = self._example(self._body, "body")
        return made

    def slots(self) -> Iterator[Slot]:
        """Every place that takes a string."""
        for one in self._parameters:
            for keys, schema in self._strings(one["schema"], (one["name"],)):
                yield Slot(one["in"], keys, schema)
        if self._body is not None:
            for keys, schema in self._strings(self._body, ()):
                if keys:
                    yield Slot("body", keys, schema)

    def filled(self, slot: Slot, value: str) -> Made:
        """The fitting request with a value at one place."""
        made = copy.deepcopy(self.base())
        made.tried = f"{slot.place} {'.'.join(map(str, slot.keys))} = {value}"
        if slot.place != "body":
            made.parts.setdefault(slot.place, {})[slot.name] = value
            return made
        inner = made.body
        for key, following in zip(slot.keys, slot.keys[1:], strict=False):
            assert isinstance(key, str), "arrays are filled as a whole"
            if following == 0:
                inner[key] = [value]
                return made
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[slot.keys[-1]] = value
        return made

    def _strings(
        self, schema: Schema, keys: tuple[str | int, ...]
    ) -> Iterator[tuple[tuple[str | int, ...], Schema]]:
        schema = self._resolved(schema)
        kind = schema.get("type")
        if kind == "object":
            for name, inner in schema.get("properties", {}).items():
                yield from self._strings(inner, (*keys, name))
        elif kind == "array" and 0 not in keys:
            yield from self._strings(schema.get("items", {}), (*keys, 0))
        elif kind == "string" and not _is_file(schema):
            yield keys, schema

    def _resolved(self, schema: Schema) -> Schema:
        """What a schema says itself, or the first thing it may be that is not null."""
        while True:
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                schema = self._document["components"]["schemas"][name]
            elif choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
                schema = next(one for one in choices if one.get("type") != "null")
            else:
                return schema

    def _example(self, schema: Schema, name: str) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                count = schema.get("minItems", 0)
                return [self._example(schema["items"], name) for _ in range(count)]
            case "integer" | "number":
                return schema.get("default", schema.get("minimum", 1))
            case "boolean":
                return schema.get("default", False)
            case _:
                return _string(schema, name)

    def _object(self, schema: Schema) -> dict[str, Any]:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        told = next(iter(schema.get("examples", [])), schema.get("example", {}))
        return {
            name: told[name]
            if name in told and not isinstance(told[name], dict)
            else self._example(properties[name], name)
            for name in required
        }


def operations_of(document: Schema) -> list[Operation]:
    """Every operation of a document."""
    return [
        Operation(document, path, method, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    ]


def _string(schema: Schema, name: str) -> Any:
    if _is_file(schema):
        return ("drawn.png", _drawn(), "image/png")
    if schema.get("format") == "uuid" or name.endswith("_id"):
        return NOBODYS_ID
    if schema.get("format") == "date":
        return "2026-01-31"
    if told := schema.get("examples"):
        return told[0]
    for candidate in ("example", "someone@example.org", "a" * schema.get("minLength", 1), "en"):
        fits = len(candidate) >= schema.get("minLength", 0)
        if fits and Slot("body", (name,), schema).takes(candidate):
            return candidate
    return "example"


def _is_file(schema: Schema) -> bool:
    return schema.get("format") == "binary" or "contentMediaType" in schema


def _drawn() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(buffer, "PNG")
    return buffer.getvalue()


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
