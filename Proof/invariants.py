"""What must hold once a run is done, whatever befell it."""

import glob
import os
import re
from collections import defaultdict

import processes
import statusrows


class Violation(Exception):
    """An invariant that does not hold."""


def fail(name: str, text: str) -> None:
    raise Violation(f"{name}: {text}")


class Marks:
    """What the attempts of a round left behind."""

    def __init__(self, folder: str):
        self.starts: dict[int, dict[int, int]] = defaultdict(dict)
        self.ends: dict[int, dict[int, int]] = defaultdict(dict)
        self.overlaps: list[str] = []
        for name in os.listdir(folder):
            match = re.fullmatch(r"(\d+)\.(\d+)\.(start|end|overlap)", name)
            if not match:
                continue
            if match[3] == "overlap":
                self.overlaps.append(name)
                continue
            with open(os.path.join(folder, name), encoding="ascii") as file:
                words = file.read().split()
            # One that was killed between making its mark and writing it did begin.
            when = int(words[0]) if words else 0
            (self.starts if match[3] == "start" else self.ends)[int(match[1])][int(match[2])] = when


def check_rows(files: list[str], groups: list[list[int]], marks: Marks) -> int:
    """Every task has one success row in all files, and each row a run behind it.

    The result is how many rows were read."""
    success: dict[int, tuple[int, str]] = {}
    everything = [(path, row) for path in files for row in statusrows.read(path, whole=False)]
    for path, row in everything:
        where = f"{os.path.basename(path)}: {row}"
        if row.kind == "barrier":
            continue
        if row.kind == "skipped":
            continue
        if row.return_code not in (0, 1, -100):
            fail("a killed attempt has no row", where)
        if row.return_code == -100:
            continue
        match = re.fullmatch(r"(done|failed) (\d+) (\d+)\n", row.out)
        if not match or int(match[2]) != row.id or (match[1] == "done") != (row.return_code == 0):
            fail("no row without a run", where)
        attempt = int(match[3])
        if attempt not in marks.ends[row.id]:
            fail("no success whose output is missing" if row.return_code == 0 else "no row without a run", where)
        if row.kind == "late" or row.return_code != 0:
            continue
        if row.id in success:
            fail("exactly one success row", f"{where}; and {success[row.id][1]}")
        success[row.id] = (attempt, where)
        if attempt != max(marks.starts[row.id]):
            fail("nothing runs again that has a success row", f"{where}; attempts {sorted(marks.starts[row.id])}")
    for path, row in everything:
        if row.kind == "skipped" and (row.id not in success or row.return_code not in (0, 1, -100)):
            fail("a skipped row has a run behind it", f"{os.path.basename(path)}: {row}")
    lacking = [task for group in groups for task in group if task not in success]
    if lacking:
        fail("every task has a success row", f"not so {lacking[:20]}, of {len(lacking)}")
    ids = {task for group in groups for task in group}
    if set(success) - ids:
        fail("no row without a task", f"{sorted(set(success) - ids)[:20]}")
    # A task that has failed, or was lost too often, lets a barrier pass, and runs again later.
    failures = {row.id for _, row in everything if row.kind == "task" and row.return_code != 0}
    check_barriers(groups, marks, {task: attempt for task, (attempt, _) in success.items() if task not in failures})
    return len(everything)


def check_barriers(groups: list[list[int]], marks: Marks, attempts: dict[int, int]) -> None:
    """Nothing behind a barrier begins before all before it has ended."""
    for before, after in zip(groups, groups[1:]):
        ended = max((marks.ends[task][attempts[task]] for task in before if task in attempts), default=0)
        begun = min(when for task in after for when in marks.starts[task].values() if when)
        if begun < ended:
            fail(
                "a barrier holds",
                f"something begun at {begun}, something before it ended at {ended}, at the barrier behind {before[-1]}",
            )


def check_newest(path: str, groups: list[list[int]]) -> None:
    """The newest file alone says that all is done."""
    done = {
        row.id for row in statusrows.read(path, whole=False) if row.kind in ("task", "skipped") and row.return_code == 0
    }
    lacking = {task for group in groups for task in group} - done
    if lacking:
        fail("the newest status file suffices", f"{path} lacks {sorted(lacking)[:20]}")


def check_overlaps(marks: Marks) -> None:
    """No attempt was alive while another of its task began."""
    if marks.overlaps:
        fail("no two attempts at one task overlap", f"{marks.overlaps[:10]}, of {len(marks.overlaps)}")
    for task, ends in marks.ends.items():
        for attempt, end in ends.items():
            begun = marks.starts[task].get(attempt + 1)
            if begun and begun < end:
                fail("no two attempts at one task overlap", f"task {task}, attempts {attempt} and {attempt + 1}")


def check_nothing_left(
    mark: str, folders: list[str], seconds: float = 40, killed: frozenset[int] = frozenset()
) -> None:
    """No process of the round lives, and no file stands that is no result, or a draft of a driver that was killed."""

    def left() -> list[processes.Process]:
        # An sshd's session begins before it has the mark, and ends with what has it.
        return [process for process in processes.everybody() if process.has(mark)]

    if not processes.wait_until(lambda: not left(), seconds):
        fail("no process is left", "; ".join(str(process) for process in left()[:10]))
    for folder in folders:
        for pattern in ("**/.disbatch-*", "**/*.new", "**/*.part", "**/*_url"):
            found = glob.glob(os.path.join(folder, pattern), recursive=True, include_hidden=True)
            found = [path for path in found if not path.endswith(tuple(f".{pid}.new" for pid in killed))]
            if found:
                fail("no temporary file is left", f"{found[:10]}")
        for path in glob.glob(os.path.join(folder, "**"), recursive=True, include_hidden=True):
            if not (os.path.isfile(path) or os.path.isdir(path)):
                fail("no socket is left", path)
