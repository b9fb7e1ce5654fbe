"""The differences from disBatch that disbatch(1) lists, each asserted of both."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass

OPTIONS = ["-s", "localhost:8"]


@dataclass
class Case:
    """A task file, and what each of the two makes of it: exit status, and `id:line:return code` of its rows."""

    name: str
    text: bytes
    ours: tuple[int, str]
    theirs: tuple[int, str]
    #: Rows of a status file to resume from, and options for it.
    status: str | None = None
    options: tuple[str, ...] = ()


def row(flags: str, task: int, line: int, code: int, command: str) -> str:
    """A row of a status file."""
    fields = [
        flags,
        task,
        line,
        -1,
        "node",
        77,
        code,
        "1.000",
        "1700000000.000",
        "1700000001.000",
        0,
        "''",
        0,
        "''",
        command,
    ]
    return "\t".join(map(str, fields)) + "\n"


CASES = [
    Case("an unknown directive", b"true\n#DISBATCH UNKNOWN x\nfalse\n", (2, ""), (0, "0:1:0 1:3:1")),
    Case("almost a directive", b"true\n\t#DISBATCH BARRIER\nfalse\n", (2, ""), (0, "0:1:0 1:3:1")),
    Case("almost a directive in lower case", b"true\n#disbatch barrier\nfalse\n", (2, ""), (0, "0:1:0 1:3:1")),
    Case("a bare #DISBATCH", b"#DISBATCH\nfalse\n", (2, ""), (0, "0:1:0 1:2:1")),
    Case("a late PERENGINE", b"false\n#DISBATCH PERENGINE START true\ntrue\n", (2, ""), (0, "0:1:1")),
    Case("BARRIERx", b"#DISBATCH BARRIERx\nfalse\n", (2, ""), (0, "0:1:0 1:2:1")),
    Case("CHECKx", b"#DISBATCH BARRIER CHECKx\nfalse\n", (2, ""), (0, "0:1:0 1:2:1")),
    Case("barrier in lower case", b"true\n#DISBATCH barrier\nfalse\n", (0, "0:1:0 1:2:0 2:3:1"), (0, "0:1:0 1:3:1")),
    Case("PREFIX without a text", b"#DISBATCH PREFIX exit 3;\n#DISBATCH PREFIX\ntrue\n", (0, "0:3:0"), (0, "0:3:3")),
    Case("a carriage return within a line", b"exit 2\rexit 3\ntrue\n", (0, "0:1:2 1:2:0"), (0, "0:1:2 1:1:3 2:2:0")),
    # As the first line it makes disBatch hang.
    Case(
        "PERENGINE start in lower case",
        b"#DISBATCH PERENGINE START true\n#DISBATCH PERENGINE start true\nfalse\n",
        (0, "0:1:0 0:3:1 1:2:0"),
        (1, ""),
    ),
    Case(
        "STOP commands after a failed CHECK",
        b"#DISBATCH PERENGINE STOP sleep 1\nfalse\n#DISBATCH BARRIER CHECK\n",
        (1, "0:1:0 0:2:1 1:3:0"),
        (0, "0:2:1 1:3:0"),
    ),
    Case(
        "CHECK after a failed START command",
        b"#DISBATCH PERENGINE START false\ntrue\n#DISBATCH BARRIER CHECK\ntrue\n",
        (0, "0:1:1 0:2:0 1:3:0 2:4:0"),
        (0, "0:1:1 0:2:0 1:3:0"),
    ),
    Case(
        "DISBATCH_CORES_PER_TASK of less than one",
        b"exit $DISBATCH_CORES_PER_TASK\n",
        (0, "0:1:1"),
        (0, "0:1:0"),
        options=("-c", "0.5"),
    ),
    Case("a NUL byte", b"true\necho a\0b\n", (2, ""), (0, "0:1:0 1:2:200")),
    Case(
        "the exit status after a failed CHECK",
        b"false\n#DISBATCH BARRIER CHECK\ntrue\n",
        (1, "0:1:1 1:2:0"),
        (0, "0:1:1 1:2:0"),
    ),
    Case(
        "skipped rows count",
        b"exit 3\nfalse\n",
        (0, "0:1:0S 1:2:1"),
        (0, "0:1:3 1:2:1"),
        row("   S", 0, 1, 0, "exit 3"),
    ),
    Case(
        "of several rows a success counts",
        b"exit 3\nfalse\n",
        (0, "0:1:0S 1:2:1"),
        (0, "0:1:3 1:2:1"),
        row("    ", 0, 1, 0, "exit 3") + row("R   ", 0, 1, -100, "exit 3"),
        ("-R",),
    ),
    Case(
        "a command that begins with b' is resumed",
        b"b'ash' -c 'exit 3'\nfalse\n",
        (0, "0:1:0S 1:2:1"),
        (0, "0:1:3 1:2:1"),
        row("    ", 0, 1, 0, "b'ash' -c 'exit 3'"),
    ),
]


def check(case: Case, tool: Callable, ours: str, peer: str, parent: str) -> tuple[str, str | None]:
    """Runs a case by both. The result is its name, and what is wrong."""
    folder = os.path.join(parent, "listed-" + case.name.replace(" ", "-").replace("'", ""))
    os.mkdir(folder)
    try:
        for name, program, extra, expected in (
            ("disbatch", ours, ["--progress", "never"], case.ours),
            ("disBatch", peer, [], case.theirs),
        ):
            one = tool(program, os.path.join(folder, name[3:]), extra)
            options = OPTIONS + list(case.options)
            if case.status is not None:
                with open(one.path("old_status.txt"), "w", encoding="utf-8") as file:
                    file.write(case.status)
                options += ["-r", "old_status.txt"]
            status = one.run("run", options, case.text)
            rows = sorted(one.rows("run")[1], key=lambda row: (row.id, row.line))
            said = " ".join(
                f"{row.id}:{row.line}:{row.return_code}{'S' if row.kind == 'skipped' else ''}" for row in rows
            )
            if (status, said) != expected:
                return case.name, f"{name}: {(status, said)}, expected {expected}: {one.said('run')[:500]}"
    except Exception:
        return case.name, traceback.format_exc()
    return case.name, None
