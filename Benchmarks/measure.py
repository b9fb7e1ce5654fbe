"""What a command takes: seconds, peak memory, and the memory of all its processes."""

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """A command did not end as it should, or not in time."""


def adopt_orphans() -> None:
    """Makes daemons that a peer leaves children of this process, so that they can be found and ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _parents() -> dict[int, int]:
    parents = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state not in b"ZX":
                parents[int(name)] = int(parent)
    return parents


def descendants(root: int) -> list[int]:
    """Those of a process, itself excluded."""
    parents = _parents()
    found = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found - {root})
        found |= more


def end_descendants(kept: set[int]) -> None:
    """Kills whatever this process started, but for what is kept and what that started."""
    for _ in range(100):
        spared = kept | {pid for root in kept for pid in descendants(root)}
        left = [pid for pid in descendants(os.getpid()) if pid not in spared]
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@contextlib.contextmanager
def started(words: list[str], environment: dict[str, str], **options):
    """A process in a session of its own, which is killed at the end, if it still lives."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words,
            env=environment,
            stderr=errors,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **options},
        )
        process.errors = errors
        try:
            yield process
        finally:
            if process.poll() is None:
                for pid in descendants(process.pid) + [process.pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait()


def complaint(process: subprocess.Popen) -> str:
    """What it wrote on standard error, the end of it."""
    process.errors.seek(0)
    lines = process.errors.read().decode(errors="replace").strip().splitlines()
    return " / ".join(lines[-3:])[-300:]


def timed(timer: str, words: list[str], environment: dict[str, str], limit: float) -> tuple[float, float]:
    """Seconds, and MiB: the peak of the command itself or of the largest child that it waited for."""
    with started([timer] + words, environment, stdout=subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"took more than {limit:.0f} s") from None
        if process.returncode != 0:
            raise Failed(complaint(process) or f"exit status {process.returncode}")
    seconds, kibibytes = output.split()
    return float(seconds), int(kibibytes) / 1024


def _proportional_kib(pid: int) -> int:
    """Its memory, what it shares with others counted in part; 0 where it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _is_task(pid: int, mark: str) -> bool:
    """Whether it is one of the tasks, or a shell that runs one: the mark is one of its words."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return True
    name = os.path.basename(words[0])
    return name == b"sleep" or name in (b"bash", b"sh") and any(mark.encode() in word for word in words)


def memory(root: int, mark: str) -> tuple[float, dict[str, float]]:
    """MiB of a process and its descendants, tasks excluded: in all, and by program."""
    by_name: dict[str, float] = {}
    for pid in [root] + descendants(root):
        if _is_task(pid, mark):
            continue
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                name = file.read().strip()
            by_name[name] = by_name.get(name, 0) + _proportional_kib(pid) / 1024
    return sum(by_name.values()), by_name
