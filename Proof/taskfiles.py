"""Task files drawn from a seed, such that disbatch and disBatch 3.0 must run them alike."""

import random
import shlex
import unicodedata
from dataclasses import dataclass, field

SIGNALS = ["HUP", "INT", "KILL", "USR1", "USR2", "PIPE", "ALRM", "TERM", "ABRT", "FPE"]
EDGES = [0, 1, 2, 38, 39, 40, 41, 42, 43, 44, 78, 79, 80, 81, 82, 83, 84, 120, 4095, 4096, 4097, 70000, 200000]
VARIABLES = [
    "TASKID",
    "STREAM_INDEX",
    "REPEAT_INDEX",
    "TASKID_ZP",
    "STREAM_INDEX_ZP",
    "REPEAT_INDEX_ZP",
    "CORES_PER_TASK",
    "NAMETASKS",
    "JOBID",
    "ENGINE_RANK",
]
#: Code points of every class that repr tells apart: ASCII, Latin, controls, combining, wide, private, separators.
RANGES = [
    (0x20, 0x7E),
    (0x00, 0x1F),
    (0x7F, 0xFF),
    (0x100, 0x17F),
    (0x300, 0x36F),
    (0x2000, 0x206F),
    (0x3000, 0x30FF),
    (0xE000, 0xE010),
    (0xFFF0, 0xFFFD),
    (0x1F600, 0x1F64F),
    (0xF0000, 0xF0010),
]


@dataclass
class Case:
    """A task file and how it is to be run."""

    text: bytes
    options: list[str]
    is_stream: bool = False
    has_per_engine: bool = False
    lines: list[bytes] = field(default_factory=list)


class Drawer:
    """Draws one case; all that is random comes from its seed."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def case(self) -> Case:
        draw = self.random
        lines: list[bytes] = []
        has_per_engine = draw.random() < 0.4
        if has_per_engine:
            lines += self.per_engine()
        for _ in range(draw.randint(1, 22)):
            lines += self.element()
        # disBatch itself fails where nothing is left to be run when its engines come up.
        lines.append(b"sleep 0.01")
        ends = draw.choices([b"\n", b"\r\n", None], [8, 1, 1])[0]
        text = b"".join(line + (ends or draw.choice([b"\n", b"\r\n"])) for line in lines)
        if draw.random() < 0.2:
            text = text.rstrip(b"\r\n")
        return Case(text, self.options(), draw.random() < 0.1, has_per_engine, lines)

    def options(self) -> list[str]:
        draw = self.random
        options = draw.choice(
            [
                ["-s", "localhost:16"],
                ["-s", "localhost:8,localhost:8"],
                ["-s", "localhost:32", "-c", "2"],
                ["-s", "localhost:40", "-t", "13"],
                ["-s", "localhost:25", "-c", "1.5"],
                ["-s", "localhost:18", "-c", "1.9"],
            ]
        )
        if draw.random() < 0.5:
            options = options + ["--status-header"]
        if draw.random() < 0.4:
            options = options + ["-e"]
        return options

    def per_engine(self) -> list[bytes]:
        draw = self.random
        lines = []
        for _ in range(draw.randint(1, 4)):
            if draw.random() < 0.3:
                lines += self.affixes()
            word = draw.choice([b"PERENGINE START", b"PERENGINE STOP", b"PerEngine START", b"perengine STOP"])
            lines.append(b"#DISBATCH " + word + b" " + self.command())
        return lines

    def affixes(self) -> list[bytes]:
        draw = self.random
        pairs = [
            (b"", b""),
            (b"( ", b" )"),
            (b"echo before; ", b""),
            (b"", b" ; echo after >&2"),
            (b"x=1; ", b"  "),
            (b"true && ", b" # $x"),
            (b"\tcommand\t", b"\t"),
            (b"{ ", b"; } 2>&1"),
        ]
        prefix, suffix = draw.choice(pairs)
        names = draw.choice([(b"PREFIX", b"SUFFIX"), (b"prefix", b"Suffix")])
        return [b"#DISBATCH " + names[0] + b" " + prefix, b"#DISBATCH " + names[1] + b" " + suffix]

    def element(self) -> list[bytes]:
        draw = self.random
        kind = draw.choices(["task", "repeat", "barrier", "affixes", "comment"], [60, 14, 9, 9, 8])[0]
        if kind == "task":
            return [self.command()]
        if kind == "repeat":
            return [self.repeat()]
        if kind == "barrier":
            check = b" CHECK" if draw.random() < 0.3 else b""
            key = draw.choice([b" key", b" a longer key"]) if draw.random() < 0.1 else b""
            return [b"#DISBATCH BARRIER" + check + key]
        if kind == "affixes":
            return self.affixes()
        return [
            draw.choice(
                [
                    b"",
                    b"  ",
                    b"\t",
                    b"# a comment",
                    b"   # another",
                    b"#disbatch PREFIX x",
                    b"\x0b\x0c",
                    b"\t# DISBATCHED, no BARRIER",
                    b"#",
                    b"#DISBATC",
                    b"# \xff",
                ]
            )
        ]

    def repeat(self) -> bytes:
        draw = self.random
        blank = draw.choice([b" ", b" ", b"  ", b"\t", b" \t"])
        line = b"#DISBATCH " + draw.choice([b"REPEAT", b"Repeat", b"repeat"]) + blank
        line += draw.choice([b"%d", b"%d", b"0%d"]) % draw.choice([0, 1, 2, 3, 7])
        if draw.random() < 0.5:
            line += blank + draw.choice([b"start", b"START"]) + blank + b"%d" % draw.choice([0, 1, 5, 12345678])
        if draw.random() < 0.4:
            line += blank + b"step" + blank + b"%d" % draw.choice([0, 1, 3, 1000])
        # What looks like a parameter in the wrong place is the command's.
        return line + draw.choice(
            [
                b" " + self.command(),
                b" " + self.command(),
                b" echo $DISBATCH_REPEAT_INDEX",
                b" start",
                b" ",
                b"  ",
                b"",
                b" step 2 start 1 x",
                b" " + self.command() + b"  ",
            ]
        )

    def command(self) -> bytes:
        draw = self.random
        return draw.choices(
            [self.end, self.output, self.text, self.variables, self.broken, self.quoted, self.simple, self.raw],
            [12, 16, 14, 14, 8, 16, 14, 8],
        )[0]()

    def end(self) -> bytes:
        """Ends in some way."""
        draw = self.random
        signal = draw.choice(SIGNALS)
        return draw.choice(
            [
                "true",
                "false",
                f"exit {draw.choice([0, 1, 2, 99, 124, 125, 126, 127, 128, 137, 200, 255, 256])}",
                f"kill -{signal} $$",
                f"exec bash -c 'kill -{signal} $$'",
                f"bash -c 'kill -{signal} $$'; exit 7",
                "exit $DISBATCH_TASKID",
                "sleep 0.1; exit 3",
            ]
        ).encode()

    def output(self) -> bytes:
        """Writes bytes around the edges of a snippet, at once or in pieces, to one stream or both."""
        draw = self.random

        def one() -> str:
            size, letter = draw.choice(EDGES), draw.choice("xyZ\"'\\\n")
            if size > 200 or draw.random() < 0.5:
                shown = {"\n": "\\n", "\\": "\\\\", "'": "\\047"}.get(letter, letter)
                return f"head -c {size} /dev/zero | tr '\\0' '{shown}'"
            first = draw.randint(0, size)
            return f"printf %s {shlex.quote('a' * first)}; sleep 0.01; printf %s {shlex.quote('b' * (size - first))}"

        text = one()
        if draw.random() < 0.4:
            text = f"{{ {text} ; }} >&2"
        if draw.random() < 0.4:
            text += f"; {{ {one()} ; }} >&2"
        return text.encode()

    def text(self) -> bytes:
        """Writes all kinds of characters, and bytes that are none, as printf's octals."""
        draw = self.random
        data = b""
        for _ in range(draw.choice([1, 3, 10, 20, 45, 90])):
            low, high = draw.choice(RANGES)
            point = draw.randint(low, high)
            # Python's own version of Unicode says what it shows; only what none has named yet could differ.
            if unicodedata.category(chr(point)) != "Cn":
                data += chr(point).encode()
            if draw.random() < 0.1:
                data += bytes([draw.randrange(256)])
        octals = "".join(f"\\{byte:03o}" for byte in data)
        return f"printf '{octals}'".encode() + draw.choice([b"", b" >&2", b"; exit 1"])

    def variables(self) -> bytes:
        names = self.random.sample(VARIABLES, self.random.randint(1, 4))
        return ("echo " + " ".join("$DISBATCH_" + name for name in names)).encode()

    def broken(self) -> bytes:
        """What bash or the kernel refuses: its words are part of the row."""
        return self.random.choice(
            [
                b"no_such_command a b",
                b"/etc",
                b"/etc/passwd",
                b"./none x",
                b"echo 'x",
                b"if",
                b"echo a | | b",
                b"(",
                b"}",
                b"cat /no/such/file",
                b"/usr/bin/env no_such",
                b"cd /none && true",
                b"exec /none",
                b". /none",
                b"a=",
                b"=a",
                b"[ 1 -eq 2 ]",
                b"test -e /none",
                b"~none/x",
                b"echo a &",
                b"!",
                b"! true",
                b"{ time; } 2>/dev/null",
                b"$(false)",
            ]
        )

    def quoted(self) -> bytes:
        draw = self.random
        words = [
            "a",
            "b c",
            "it's",
            'say "x"',
            "$HOME",
            "`",
            "\\",
            "\\n",
            "*",
            "?",
            "#",
            "a#b",
            "é",
            "日本",
            "\t",
            "!",
            "~",
            "{a,b}",
            "a;b",
            "<",
            "&",
            "",
            "%s",
            "=",
            "-n",
            "-e",
        ]
        line = "printf '[%s]' " + " ".join(shlex.quote(draw.choice(words)) for _ in range(draw.randint(1, 8)))
        return (draw.choice(["", " ", "\t", "   "]) + line + draw.choice(["", " ", "\t", "  ", " \\", ";"])).encode()

    def simple(self) -> bytes:
        """Lines that may be started without a shell."""
        return self.random.choice(
            [
                b"echo a b",
                b"/bin/echo a  b",
                b"ls /none",
                b"printenv DISBATCH_TASKID",
                b"printenv NONE",
                b"true --help",
                b"/bin/true",
                b"/bin/false",
                b"basename /a/b.c .c",
                b"seq 1 30",
                b"expr 1 + 1",
                b"env -i",
                b"cat -",
                b"head -c 3",
                b"sleep 0",
                b"test -t 0",
                b"ls -d /proc/self/fd/9",
                b"dirname a/b@c:d,e%f+g=h",
                b"cut -d: -f1",
                b"stat -c %F .",
                b"readlink /proc/self/fd/0",
                b"uname -s",
                b"nice",
                b"/bin/sh -c exit",
                b"bash -c :",
                b"umask",
                b"pwd -P -L -Z",
                b"grep -c processor /none",
                b"let 0",
                b"kill",
                b"printf x",
                b"x=1",
                b"1",
                b"false -x",
                b"sort --bad",
            ]
        )

    def raw(self) -> bytes:
        """Bytes that are not UTF-8, or look like a literal of bytes."""
        draw = self.random
        # With an apostrophe the row is b"...", which disBatch writes and cannot read: see the listed differences.
        return draw.choice(
            [
                b"echo \xff\xfe",
                b'printf %s "\xe9t\xe9"',
                b"echo \xc3\x28 \xe2\x82",
                b"echo \xed\xa0\x80",
                b"echo \xf4\x90\x80\x80",
                b'echo \x80 # "\'"',
                b"echo \x01\x02",
                b"echo \xe2\x80\xa8x",
                b"echo \x7f \xc2\x85",
                b"\xe9",
                b"echo a\tb\tc",
                b"echo \xef\xbb\xbf",
                b"echo \x1b[0m",
                b"echo \xff '\"'",
            ]
        )
