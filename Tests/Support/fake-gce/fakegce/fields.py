"""The `fields` parameter: replies of which only a part is wanted."""

from __future__ import annotations

import re
from typing import Any

from .errors import ApiError

Mask = dict[str, Any]


def _bad(text: str) -> ApiError:
    return ApiError(400, "invalidParameter", f"Invalid field selection {text}")


def parse(text: str) -> Mask:
    """A selection such as `items(name,status),nextPageToken` or `items/name`; an empty mask means all of it."""
    tokens = re.findall(r"[A-Za-z0-9_*-]+|[(),/]|.", text)
    mask, rest = _list(tokens, text)
    if rest:
        raise _bad(text)
    return mask


def _list(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        name, inner, tokens = _one(tokens, text)
        mask[name] = mask.get(name, {}) | inner
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _one(tokens: list[str], text: str) -> tuple[str, Mask, list[str]]:
    if not tokens or not re.fullmatch(r"[A-Za-z0-9_*-]+", tokens[0]):
        raise _bad(text)
    name, tokens = tokens[0], tokens[1:]
    if tokens[:1] == ["/"]:
        inner_name, inner, tokens = _one(tokens[1:], text)
        return name, {inner_name: inner}, tokens
    if tokens[:1] == ["("]:
        mask, tokens = _list(tokens[1:], text)
        if tokens[:1] != [")"]:
            raise _bad(text)
        return name, mask, tokens[1:]
    return name, {}, tokens


def select(value: Any, mask: Mask) -> Any:
    """The part of a reply that the mask names."""
    if not mask:
        return value
    if isinstance(value, list):
        return [select(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: select(item, mask[key] if key in mask else mask["*"])
        for key, item in value.items()
        if key in mask or "*" in mask
    }
