"""Filters, order and pages of lists."""

from __future__ import annotations

import base64
import fnmatch
import re
from collections.abc import Callable
from typing import Any

from .errors import ApiError, invalid

Item = dict[str, Any]
Test = Callable[[Item], bool]
TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<op>!=|>=|<=|=|>|<|:)|"(?P<double>(?:[^"\\]|\\.)*)"
    |'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s()=<>!:"']+))""",
    re.VERBOSE,
)


def _bad(text: str) -> ApiError:
    return invalid("filter", text, "Invalid list filter expression.")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise _bad(text)
        kind = str(match.lastgroup)
        found.append(("text" if kind in ("double", "single") else kind, match[kind]))
        position = match.end()
    return found


def _lookup(item: Item, path: str) -> Any:
    value: Any = item
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


class _Parser:
    """Google's filters: comparisons, AND, OR, NOT, parentheses; two beside each other are both to hold."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def parse(self) -> Test:
        test = self.either()
        if self.peek()[0] != "end":
            raise _bad(self.text)
        return test

    def either(self) -> Test:
        tests = [self.both()]
        while self.peek() == ("word", "OR"):
            self.take()
            tests.append(self.both())
        return lambda item: any(test(item) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.peek()[0] != "end" and self.peek() not in (("paren", ")"), ("word", "OR")):
            if self.peek() == ("word", "AND"):
                self.take()
            tests.append(self.one())
        return lambda item: all(test(item) for test in tests)

    def one(self) -> Test:
        if self.peek() == ("word", "NOT"):
            self.take()
            inner = self.one()
            return lambda item: not inner(item)
        if self.peek() == ("paren", "("):
            self.take()
            test = self.either()
            if self.take() != ("paren", ")"):
                raise _bad(self.text)
            return test
        return self.comparison()

    def comparison(self) -> Test:
        kind, field = self.take()
        operator_kind, operator = self.take()
        if kind != "word" or operator_kind not in ("op", "word"):
            raise _bad(self.text)
        if operator_kind == "word" and operator not in ("eq", "ne"):
            raise _bad(self.text)
        value_kind, value = self.take()
        if value_kind not in ("word", "text"):
            raise _bad(self.text)
        return _compare(field, operator, value, self.text)


def _compare(field: str, operator: str, wanted: str, text: str) -> Test:
    def holds(value: Any) -> bool:
        if isinstance(value, list):
            return any(holds(entry) for entry in value)
        if value is None:
            return False
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if operator == "eq":
            # The old form takes regular expressions (RE2).
            return re.fullmatch(wanted, shown) is not None
        if operator == ":":
            return fnmatch.fnmatchcase(shown, wanted) or wanted in shown
        if operator == "=":
            return fnmatch.fnmatchcase(shown, wanted) if "*" in wanted else shown == wanted
        order = _order(shown, wanted)
        return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator]

    if operator == "eq":
        try:
            re.compile(wanted)
        except re.error as error:
            raise _bad(text) from error
    if operator in ("!=", "ne"):
        equal = _compare(field, "=" if operator == "!=" else "eq", wanted, text)
        return lambda item: not equal(item)
    return lambda item: holds(_lookup(item, field))


def _order(left: str, right: str) -> int:
    """Less than nothing where the left comes first: by number where both are, else by text."""
    if all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in (left, right)):
        return (float(left) > float(right)) - (float(left) < float(right))
    return (left > right) - (left < right)


def select(items: list[Item], query: dict[str, Any]) -> list[Item]:
    """Those that the query's filter lets through, in its order."""
    if query.get("filter"):
        test = _Parser(query["filter"]).parse()
        items = [item for item in items if test(item)]
    order = query.get("orderBy", "")
    if order not in ("", "name", "creationTimestamp desc"):
        raise invalid("orderBy", order, "Only 'name' and 'creationTimestamp desc' are supported.")
    if order == "creationTimestamp desc":
        return sorted(
            items, reverse=True, key=lambda item: (str(item.get("creationTimestamp")), int(item.get("id", 0)))
        )
    return sorted(items, key=lambda item: str(item["name"]))


def page(items: list[Item], query: dict[str, Any], key: Callable[[Item], str]) -> tuple[list[Item], str | None]:
    """The page of sorted items that the query asks for, and the token of the next one.

    A token says behind which item the page begins, so that what is added or removed between pages shifts nothing.
    """
    size = query.get("maxResults", 500)
    if size > 500:
        raise invalid("maxResults", size, "Value must be between 0 and 500, inclusive.")
    size = size or 500
    token = query.get("pageToken")
    if token:
        try:
            kind, scope, last = base64.urlsafe_b64decode(token.encode()).decode().split("\n")
        except ValueError as error:
            raise invalid("pageToken", token, "Invalid page token.") from error
        if kind != "page" or scope != (query.get("filter") or ""):
            raise invalid("pageToken", token, "Page token was made by another request.")
        if query.get("orderBy") == "creationTimestamp desc":
            position = next((index + 1 for index, item in enumerate(items) if key(item) == last), len(items))
            items = items[position:]
        else:
            items = [item for item in items if key(item) > last]
    if len(items) <= size:
        return items, None
    text = "\n".join(["page", query.get("filter") or "", key(items[size - 1])])
    return items[:size], base64.urlsafe_b64encode(text.encode()).decode()
