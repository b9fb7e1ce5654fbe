"""Checks JSON bodies and query parameters against the table of Google's messages."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

from .errors import ApiError, bad_payload

TABLE = json.loads((pathlib.Path(__file__).parent / "messages.json").read_text(encoding="utf-8"))
RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "uint32": (0, (1 << 32) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint64": (0, (1 << 64) - 1),
}
# Those that all requests of Google's have, and those newer than the table.
COMMON = {
    "alt": "string",
    "$alt": "string",
    "fields": "string",
    "key": "string",
    "prettyPrint": "bool",
    "quotaUser": "string",
    "userIp": "string",
    "$.xgafv": "string",
    "access_token": "string",
    "oauth_token": "string",
    "callback": "string",
    "returnPartialSuccess": "bool",
    "view": "string",
}


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise bad_payload(f'Invalid JSON payload received. Repeated name "{key}".')
        found[key] = value
    return found


def _constant(text: str) -> None:
    raise ValueError(text)


def parse(body: bytes, message: str) -> dict[str, Any]:
    """The body as a checked message: no nulls in it, 64-bit integers as int."""
    if not body:
        return {}
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise bad_payload(f"Invalid JSON payload received. {error}") from error
    if not isinstance(value, dict):
        raise bad_payload('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    return _message(value, message, "resource")


def _message(value: Any, name: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_payload(
            f"Invalid value at '{path}' (type.googleapis.com/google.cloud.compute.v1.{name}), {json.dumps(value)}", path
        )
    fields = TABLE["messages"][name]
    found = {}
    for key, item in value.items():
        if key not in fields:
            text = f"Invalid JSON payload received. Unknown name \"{key}\" at '{path}': Cannot find field."
            raise bad_payload(text, path)
        if item is not None:
            found[key] = _value(item, fields[key], f"{path}.{key}")
    return found


def _value(value: Any, kind: str, path: str) -> Any:
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise bad_payload(f"Invalid value at '{path}' (TYPE_LIST), {json.dumps(value)}", path)
        return [_value(item, kind[:-2], f"{path}[{index}]") for index, item in enumerate(value)]
    if kind.startswith("{"):
        if not isinstance(value, dict):
            raise bad_payload(f"Invalid value at '{path}' (TYPE_MAP), {json.dumps(value)}", path)
        return {key: _value(item, kind[1:-1], f"{path}.{key}") for key, item in value.items()}
    if kind.startswith("="):
        if value not in TABLE["enums"][kind[1:]]:
            raise bad_payload(
                f"Invalid value at '{path}' (type.googleapis.com/google.cloud.compute.v1.{kind[1:]}), "
                f"{json.dumps(value)}",
                path,
            )
        return value
    if kind[0].isupper():
        return _message(value, kind, path)
    return _scalar(value, kind, path)


def _scalar(value: Any, kind: str, path: str) -> Any:
    if kind in RANGES:
        number = _integer(value)
        low, high = RANGES[kind]
        if number is not None and low <= number <= high:
            return number
    elif kind in ("double", "float"):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif kind == "bool":
        if isinstance(value, bool):
            return value
    elif isinstance(value, str):
        return value
    raise bad_payload(f"Invalid value at '{path}' (TYPE_{kind.upper()}), {json.dumps(value)}", path)


def _integer(value: Any) -> int | None:
    """Numbers without a fraction and strings of digits: Google takes both for any integer."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?(0|[1-9][0-9]*)", value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def check_query(operation: str, query: list[tuple[str, str]]) -> dict[str, Any]:
    """The query parameters of a request, each of its type."""
    fields = COMMON | TABLE["requests"][operation]
    found: dict[str, Any] = {}
    for key, text in query:
        if key not in fields:
            raise bad_payload(
                f'Invalid JSON payload received. Unknown name "{key}": Cannot bind query parameter. '
                f"Field '{key}' could not be found in request message."
            )
        if key in found:
            raise bad_payload(f"Invalid value (repeated) for query parameter '{key}'")
        found[key] = _parameter(key, text, fields[key])
    return found


def _parameter(key: str, text: str, kind: str) -> Any:
    if kind == "bool":
        # gcloud says "True".
        if text.lower() not in ("true", "false"):
            raise bad_payload(f"Invalid value at '{key}' (TYPE_BOOL), \"{text}\"", key)
        return text.lower() == "true"
    if kind in RANGES:
        try:
            return _scalar(text, kind, key)
        except ApiError as error:
            raise ApiError(400, "invalidParameter", error.message) from error
    return text
