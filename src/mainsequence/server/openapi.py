"""The OpenAPI 3.1 document, made from the list of operations."""

from collections import defaultdict
from http import HTTPStatus
from types import NoneType
from typing import Any, Literal

from pydantic import TypeAdapter

from mainsequence.contract import problems
from mainsequence.contract.arrow import ArrowTable
from mainsequence.contract.catalogue import operations
from mainsequence.contract.categories import ASSET_IDS
from mainsequence.contract.operation import Operation
from mainsequence.contract.wire import IDEMPOTENCY_KEY, PREFIX, adapter, media_type
from mainsequence.domain.categories import CategoryRecord
from mainsequence.errors import by_code

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REFERENCE = "#/components/schemas/{model}"
TAG = r'^"\d{1,9}(-[0-9a-f]+)?"$'
_FRAMEWORK = {405: "http.method_not_allowed", 408: "http.request_timeout", 415: "http.unsupported_media_type"}

PROBLEM: Schema = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457: what was asked, what was found and what to do.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The class of the error"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stays the same between releases"},
        "hint": {"type": ["string", "null"]},
        "context": {"type": "object", "description": "Facts for programs"},
    },
}


def document(title: str, summary: str, version: str) -> Schema:
    """Give the whole document."""
    schemas, definitions = _schemas()
    paths: dict[str, Schema] = defaultdict(dict)
    for operation in operations().values():
        paths[f"{PREFIX}{operation.path}"][operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "summary": summary, "version": version, "license": _LICENSE},
        "paths": dict(paths),
        "components": {
            "schemas": {**definitions, "Problem": PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def _schemas() -> tuple[dict[tuple[Any, Mode], Schema], Schema]:
    wanted: list[tuple[Any, Mode, TypeAdapter[Any]]] = []
    for operation in operations().values():
        sides: list[tuple[Any, Mode]] = [(operation.takes, "validation"), (operation.gives, "serialization")]
        wanted += [(kind, mode, adapter(kind)) for kind, mode in sides if kind not in (ArrowTable, NoneType)]
    unique = list({(str(kind), mode): (kind, mode, made) for kind, mode, made in wanted}.values())
    inputs = [(str(kind), mode, made) for kind, mode, made in unique]
    schemas, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)
    return dict(schemas), definitions.get("$defs", {})


def _operation(operation: Operation[Any, Any], schemas: dict[tuple[Any, Mode], Schema]) -> Schema:
    made: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the role {operation.access.name.lower()}.",
        "tags": [operation.name.partition(".")[0]],
        "parameters": _parameters(operation),
        "responses": {**_success(operation, schemas), **_problems()},
    }
    if not operation.takes_parameters and operation.takes is not NoneType:
        made["requestBody"] = {"required": True, "content": _content(operation.takes, "validation", schemas)}
    return made


def _content(kind: Any, mode: Mode, schemas: dict[tuple[Any, Mode], Schema]) -> Schema:
    return {media_type(kind): {} if kind is ArrowTable else {"schema": schemas[str(kind), mode]}}


def _parameters(operation: Operation[Any, Any]) -> list[Schema]:
    found: list[Schema] = []
    if "{key}" in operation.path:
        key = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        found.append({"name": "key", "in": "path", "required": True, "schema": key})
    if operation.takes_parameters and operation.takes is not NoneType:
        found += _query(operation.takes)
    if operation.writes and not operation.answer_is_secret:
        found.append(_header(IDEMPOTENCY_KEY, "Repeated with the same request, gives the first answer again"))
    if "if_revision" in getattr(operation.takes, "model_fields", {}):
        found.append(_header("If-Match", "Refuse unless the universe is at this ETag's revision", TAG))
    return found


def _query(kind: Any) -> list[Schema]:
    schema = adapter(kind).json_schema(mode="validation")
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(each)}
        for name, each in schema["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """Say what a parameter may be where it is given: null is said by leaving it out."""
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return rest | choices[0] if len(choices) == 1 else schema


def _header(name: str, description: str, pattern: str = "^[!-~]{1,200}$") -> Schema:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _success(operation: Operation[Any, Any], schemas: dict[tuple[Any, Mode], Schema]) -> Schema:
    if operation.gives is NoneType:
        return {"204": {"description": "Done."}}
    found: Schema = {
        "200": {"description": "The answer.", "content": _content(operation.gives, "serialization", schemas)}
    }
    if operation.gives is CategoryRecord or operation is ASSET_IDS:
        found["200"]["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Its revision, and more"}}
        if not operation.writes:
            found["304"] = {"description": "As it was under If-None-Match."}
    return found


def _problems() -> Schema:
    codes: dict[int, list[str]] = defaultdict(list)
    for code, kind in sorted(by_code().items()):
        if code != "transport":
            codes[kind.status].append(code)
    for status, code in _FRAMEWORK.items():
        codes[status].append(code)
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {"description": f"{HTTPStatus(status).phrase}: {', '.join(names)}.", "content": content}
        for status, names in sorted(codes.items())
    }
