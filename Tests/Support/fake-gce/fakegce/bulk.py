"""What a bulkInsert asks for: names, and properties of each instance."""

from __future__ import annotations

import re
from typing import Any

from .errors import invalid
from .names import NAME, check_name

Body = dict[str, Any]


def names_of(body: Body, existing: set[str]) -> list[tuple[str, str]]:
    """The names to be made, each with its key in perInstanceProperties."""
    count = body.get("count")
    own = body.get("perInstanceProperties", {})
    if own and "namePattern" in body:
        raise invalid(
            "resource.namePattern",
            body["namePattern"],
            "Only one of namePattern and perInstanceProperties can be specified.",
        )
    if own:
        return _own_names(own, count)
    if count is None or not 1 <= count <= 5000:
        raise invalid("resource.count", count or 0, "Must be between 1 and 5000.")
    pattern = body.get("namePattern", "")
    match = re.fullmatch(r"([a-z][-a-z0-9]*?)(#+)([-a-z0-9]*)", pattern)
    if match is None or len(pattern) > 63:
        raise invalid("resource.namePattern", pattern, "Must contain one sequence of hash characters in a valid name.")
    shape = re.compile(re.escape(match[1]) + rf"(\d{{{len(match[2])},}})" + re.escape(match[3]))
    taken = [int(found[1]) for name in existing if (found := shape.fullmatch(name))]
    first = max(taken, default=0) + 1
    names = [f"{match[1]}{number:0{len(match[2])}d}{match[3]}" for number in range(first, first + count)]
    if any(not re.fullmatch(NAME, name) for name in names):
        raise invalid("resource.namePattern", pattern, f"Must give matches of regex '{NAME}'")
    return [("", name) for name in names]


def _own_names(own: Body, count: int | None) -> list[tuple[str, str]]:
    if count is not None and count != len(own):
        raise invalid("resource.count", count, "Must be the number of perInstanceProperties, or unset.")
    names = []
    for key, properties in own.items():
        name = properties.get("name", key)
        check_name(f"resource.perInstanceProperties.{key}.name", name)
        names.append((key, name))
    return names


def overlay(body: Body, key: str, name: str) -> Body:
    """The properties of one instance."""
    found = dict(body["instanceProperties"])
    found["name"] = name
    own = body.get("perInstanceProperties", {}).get(key, {})
    if "hostname" in own:
        found["hostname"] = own["hostname"]
    return found
