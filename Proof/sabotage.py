"""Whether the invariants can fail: each deed falsifies what a round left, and must be found."""

import os
import shutil
import subprocess
from collections.abc import Callable

import invariants
import statusrows

#: The invariant's name begins what its violation says.
DEEDS: list[tuple[str, Callable[["Copy"], None]]] = []


def breaks(name: str) -> Callable:
    def add(deed: Callable) -> Callable:
        DEEDS.append((name, deed))
        return deed

    return add


class Copy:
    """A copy of what a round left, to be falsified."""

    def __init__(self, trial, folder: str):
        self.groups = trial.groups
        self.marks = os.path.join(folder, "marks")
        shutil.copytree(trial.marks, self.marks)
        self.status = os.path.join(folder, "run_status.txt")
        shutil.copy(trial.status_files()[-1], self.status)
        rows = statusrows.read(self.status)
        self.row = next(row for row in rows if row.kind == "task" and row.return_code == 0)
        self.line = b"\t".join(self.row.fields) + b"\n"
        self.attempt = int(self.row.out.split()[2])

    def change(self, old: bytes, new: bytes) -> None:
        with open(self.status, "rb") as file:
            text = file.read()
        with open(self.status, "wb") as file:
            file.write(text.replace(old, new))

    def mark(self, attempt: int, what: str) -> str:
        return os.path.join(self.marks, f"{self.row.id}.{attempt}.{what}")

    def check(self) -> None:
        marks = invariants.Marks(self.marks)
        invariants.check_overlaps(marks)
        invariants.check_rows([self.status], self.groups, marks)
        invariants.check_newest(self.status, self.groups)


@breaks("exactly one success row")
def double(copy: Copy) -> None:
    copy.change(copy.line, copy.line * 2)


@breaks("every task has a success row")
def lose(copy: Copy) -> None:
    copy.change(copy.line, b"")


@breaks("no success whose output is missing")
def lose_output(copy: Copy) -> None:
    os.unlink(copy.mark(copy.attempt, "end"))


@breaks("no row without a run")
def invent(copy: Copy) -> None:
    copy.change(copy.line, copy.line.replace(b"'done ", b"'did "))


@breaks("a killed attempt has no row")
def record_a_kill(copy: Copy) -> None:
    fields = list(copy.row.fields)
    fields[0], fields[6] = b"RO  ", b"-9"
    copy.change(copy.line, b"\t".join(fields) + b"\n" + copy.line)


@breaks("nothing runs again that has a success row")
def run_again(copy: Copy) -> None:
    shutil.copy(copy.mark(copy.attempt, "end"), copy.mark(copy.attempt + 1, "start"))


@breaks("no two attempts at one task overlap")
def overlap(copy: Copy) -> None:
    shutil.copy(copy.mark(copy.attempt, "start"), copy.mark(copy.attempt + 1, "start"))


@breaks("no two attempts at one task overlap")
def overlap_by_lock(copy: Copy) -> None:
    shutil.copy(copy.mark(copy.attempt, "start"), copy.mark(copy.attempt, "overlap"))


@breaks("a barrier holds")
def pass_a_barrier(copy: Copy) -> None:
    with open(os.path.join(copy.marks, f"{copy.groups[-1][-1]}.1.start"), "w", encoding="ascii") as file:
        file.write("1 1\n")


def left_behind(trial) -> str | None:
    """A process and a temporary file that are left must be found."""
    name, value = trial.mark.split("=")
    with subprocess.Popen(["sleep", "600"], env={name: value}) as process:
        try:
            invariants.check_nothing_left(trial.mark, [], seconds=0.2)
            return "a process that is left is not found"
        except invariants.Violation:
            pass
        finally:
            process.kill()
    draft = os.path.join(trial.folder, "x.new")
    with open(draft, "w", encoding="ascii"):
        try:
            invariants.check_nothing_left(trial.mark, [trial.folder])
            return "a file that is left is not found"
        except invariants.Violation:
            os.unlink(draft)
    return None


def check(trial) -> str | None:
    """Falsifies what a round left in every way. The result is what was not found."""
    for number, (name, deed) in enumerate(DEEDS):
        copy = Copy(trial, os.path.join(trial.folder, f"copy{number}"))
        copy.check()
        deed(copy)
        try:
            copy.check()
        except invariants.Violation as violation:
            if not str(violation).startswith(name + ":"):
                return f"{deed.__name__} was taken for: {violation}"
        else:
            return f"{deed.__name__} was not found: {name}"
    return left_behind(trial)
