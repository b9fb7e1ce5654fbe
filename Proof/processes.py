"""Who lives on this machine, and what befalls them."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    name: str
    command: bytes
    environment: bytes

    def has(self, variable: str) -> bool:
        return b"\0" + variable.encode() + b"\0" in b"\0" + self.environment

    @property
    def is_engine(self) -> bool:
        return b"disbatch-engine" in self.command.split(b"\0")[0]

    def __str__(self) -> str:
        return (
            f"{self.pid} (child of {self.parent}) {self.command.replace(bytes(1), b' ').decode(errors='replace')[:150]}"
        )


def look(pid: int) -> Process | None:
    """A process; None if it is over."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            head, _, tail = file.read().rpartition(b")")
        state, parent = tail.split()[:2]
        if state in b"ZX":
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
        with open(f"/proc/{pid}/environ", "rb") as file:
            environment = file.read()
    except OSError:
        return None
    return Process(pid, int(parent), head.partition(b"(")[2].decode(errors="replace"), command, environment)


def everybody() -> list[Process]:
    found = [look(int(name)) for name in os.listdir("/proc") if name.isdigit()]
    return [process for process in found if process]


def below(roots: set[int], among: list[Process]) -> list[Process]:
    """Some processes and all that descend from them."""
    known = set(roots)
    while True:
        more = {process.pid for process in among if process.parent in known} - known
        if not more:
            return [process for process in among if process.pid in known]
        known |= more


def send(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_at_once(pids: list[int]) -> None:
    """Kills several so that none of them sees another die."""
    send(pids, signal.SIGSTOP)
    send(pids, signal.SIGKILL)


def wait_until(holds, seconds: float) -> bool:
    """Whether something came to hold in time."""
    limit = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True
