"""What all parts share: the lock, the clock, and what is to happen later."""

from __future__ import annotations

import datetime
import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable

PACIFIC = datetime.timezone(datetime.timedelta(hours=-8))


def timestamp(seconds: float | None = None) -> str:
    """A time as Google writes it; now where none is given."""
    moment = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, PACIFIC)
    return moment.isoformat(timespec="milliseconds")


class Shared:
    """A lock that all hold while they change anything, and a timer.

    `changed` is notified after each change, so that those who wait look again.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._timer = threading.Condition()
        threading.Thread(target=self._run, name="timer", daemon=True).start()

    def number(self) -> int:
        """A number that nobody had before."""
        return next(self._numbers)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Calls the action later, with the lock held. Actions due at one time run in the order given."""
        with self._timer:
            heapq.heappush(self._due, (time.monotonic() + seconds, self.number(), action))
            self._timer.notify()

    def notify(self) -> None:
        """Says that something changed."""
        with self.changed:
            self.changed.notify_all()

    def _next(self) -> Callable[[], None]:
        with self._timer:
            while True:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._timer.wait(wait)

    def _run(self) -> None:
        while True:
            action = self._next()
            with self.changed:
                try:
                    action()
                except Exception:
                    traceback.print_exc()
                self.changed.notify_all()
