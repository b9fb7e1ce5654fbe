"""What goes wrong on purpose.

A fault is a JSON object: `kind`, what it is for (`zone`, `machineType`, `provisioningModel`, `name`, `operation`,
`path`; the last three are regular expressions), and how often: `after` so many that would match, then `times` or a
`share` of them by chance. Its other members depend on the kind; the README lists them.
"""

from __future__ import annotations

import random
import re
from typing import Any

REQUEST_KINDS = {"status", "rateLimit", "drop", "loseReply", "slow", "garbage"}
# In the order in which an insert asks for them.
INSERT_KINDS = (
    "exhausted",
    "noExternalAddress",
    "wrongHostKey",
    "noHostKey",
    "noSSH",
    "slowBoot",
    "dies",
    "preempted",
    "stuck",
    "internalError",
    "quota",
)
MATCHES = {"zone", "machineType", "provisioningModel", "name", "operation", "path", "method"}
OTHERS = {
    "kind",
    "after",
    "times",
    "share",
    "seconds",
    "code",
    "retryAfter",
    "metric",
    "limit",
    "details",
    "atOnce",
    "notice",
    "then",
}


class Fault:
    """One of them, and how often it struck."""

    def __init__(self, number: int, rule: dict[str, Any]) -> None:
        if rule.get("kind") not in REQUEST_KINDS.union(INSERT_KINDS):
            raise ValueError(f"unknown kind of fault: {rule.get('kind')}")
        unknown = set(rule) - MATCHES - OTHERS
        if unknown:
            raise ValueError(f"unknown in a fault: {', '.join(sorted(unknown))}")
        self.number = number
        self.rule = rule
        self.seen = 0
        self.struck = 0

    def get(self, key: str, otherwise: Any = None) -> Any:
        """A member of the fault."""
        return self.rule.get(key, otherwise)

    def strikes(self, facts: dict[str, str], chance: random.Random) -> bool:
        """Whether it strikes now; counts it."""
        for key in MATCHES & set(self.rule):
            wanted, value = str(self.rule[key]), facts.get(key, "")
            if key in ("name", "operation", "path"):
                if not re.search(wanted, value):
                    return False
            elif wanted != value:
                return False
        self.seen += 1
        if self.seen <= self.get("after", 0) or self.struck >= self.get("times", float("inf")):
            return False
        if chance.random() >= self.get("share", 1):
            return False
        self.struck += 1
        return True

    def summary(self) -> dict[str, Any]:
        """As the control endpoint shows it."""
        return self.rule | {"id": self.number, "seen": self.seen, "struck": self.struck}


class Faults:
    """All that are set; the lock is held by whoever calls."""

    def __init__(self, rules: list[dict[str, Any]], seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._number = 0
        self.all: list[Fault] = []
        for rule in rules:
            self.add(rule)

    def add(self, rule: dict[str, Any]) -> Fault:
        """Sets one. Raises ValueError where it isn't understood."""
        fault = Fault(self._number + 1, rule)
        self._number += 1
        self.all.append(fault)
        return fault

    def remove(self, number: int | None) -> None:
        """Lifts one, or all."""
        self.all = [fault for fault in self.all if number not in (None, fault.number)]

    def of_request(self, facts: dict[str, str]) -> Fault | None:
        """What happens to this request."""
        return self._first(REQUEST_KINDS, facts)

    def of_insert(self, kind: str, facts: dict[str, str]) -> Fault | None:
        """Whether something of this kind happens to this new instance."""
        return self._first({kind}, facts)

    def _first(self, kinds: set[str], facts: dict[str, str]) -> Fault | None:
        for fault in self.all:
            if fault.rule["kind"] in kinds and fault.strikes(facts, self._chance):
                return fault
        return None
