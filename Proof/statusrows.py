"""Rows of status files, and what must hold for each by itself."""

import ast
import os
import re
from dataclasses import dataclass

HEADER = (
    "ROE[ PSZ]\tTaskID\tLineNum\tRepeatIndex\tNode\tPID\tReturnCode\tElapsed\tStart\tFinish\tBytesOfLeakedOutput\t"
    "OutputSnippet\tBytesOfLeakedError\tErrorSnippet\tCommand"
)


@dataclass(frozen=True)
class Row:
    """A row, its fields as bytes in the order of disbatch-status(5)."""

    fields: tuple[bytes, ...]

    @property
    def flags(self) -> str:
        return self.fields[0].decode()

    @property
    def kind(self) -> str:
        """`task`, `skipped`, `late`, `engine` (PERENGINE) or `barrier`."""
        if self.flags[0] in "BC":
            return "barrier"
        return {" ": "task", "S": "skipped", "Z": "late", "P": "engine"}[self.flags[3]]

    @property
    def id(self) -> int:
        return int(self.fields[1])

    @property
    def line(self) -> int:
        return int(self.fields[2])

    @property
    def pid(self) -> int:
        return int(self.fields[5])

    @property
    def return_code(self) -> int:
        return int(self.fields[6])

    @property
    def start(self) -> float:
        return float(self.fields[8])

    @property
    def finish(self) -> float:
        return float(self.fields[9])

    @property
    def out(self) -> str:
        """What the snippet of standard output stands for."""
        return ast.literal_eval(self.fields[11].decode())

    @property
    def lasting(self) -> tuple[bytes, ...]:
        """The fields that do not differ from run to run: all but pid and times."""
        return self.fields[:5] + self.fields[6:7] + self.fields[10:]

    def __str__(self) -> str:
        return b"|".join(self.fields).decode("utf-8", "backslashreplace")


def parse(data: bytes, whole: bool = True) -> tuple[bool, list[Row]]:
    """Whether there is a header, and the rows. Unless `whole`, a torn last line is passed over.

    Raises ValueError with the line that is no row."""
    lines = data.split(b"\n")
    if lines.pop() and whole:
        raise ValueError("the last line has no end")
    rows = []
    has_header = False
    for number, line in enumerate(lines, 1):
        if line == HEADER.encode():
            has_header = True
            continue
        row = Row(tuple(line.split(b"\t", 14)))
        fault = well_formed(row)
        if fault:
            raise ValueError(f"line {number}: {fault}: {line[:300]!r}")
        rows.append(row)
    return has_header, rows


def read(path: str, whole: bool = True) -> list[Row]:
    """The rows of a file, none if it is missing."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        return parse(file.read(), whole)[1]


def well_formed(row: Row) -> str | None:
    """What is wrong with the form of a row."""
    if len(row.fields) != 15:
        return f"{len(row.fields)} fields"
    flags = row.fields[0]
    if not re.fullmatch(rb"[R ][O ][E ][ PSZ]|[BC]    ", flags):
        return "flags"
    for index in (1, 2, 3, 5, 6, 10, 12):
        if not re.fullmatch(rb"-?\d+", row.fields[index]):
            return f"field {index + 1} is no number"
    for index in (7, 8, 9):
        if not re.fullmatch(rb"-?\d+\.\d{3}", row.fields[index]):
            return f"field {index + 1} is no time"
    if abs(row.finish - row.start - float(row.fields[7])) > 0.0025:
        return "elapsed is not finish - start"
    if flags[:1] not in b"BC":
        said = (row.return_code != 0, row.fields[10] != b"0", row.fields[12] != b"0")
        if said != tuple(flags[i : i + 1] != b" " for i in range(3)):
            return "flags are not what the fields say"
    for index in (11, 13):
        if not isinstance(ast.literal_eval(row.fields[index].decode()), str):
            return f"field {index + 1} is no text"
    return None
