"""The programs that are measured: where each comes from, and how its manual would have it run a file of lines."""

import contextlib
import os
import re
import shutil
import subprocess
import venv
from dataclasses import dataclass, field

import measure

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCHMARKS = os.path.join(ROOT, "Benchmarks")
PROGRAMS = os.path.join(ROOT, ".build", "installed", "release")
BUILT = os.path.join(ROOT, ".build", "benchmarks")
DISBATCH_3 = "disbatch==3.0"
HYPERQUEUE = "hyperqueue==0.27.0"

LABELS = {
    "disbatch": "disbatch",
    "loop": "C loop",
    "xargs": "xargs",
    "parallel": "GNU parallel",
    "hyperqueue": "HyperQueue",
    "disbatch3": "disBatch 3.0",
    "bash": "bash -c",
    "ssh": "xargs, an ssh a task",
    "srun": "xargs, an srun a task",
    "array": "job array",
}


@dataclass
class Peer:
    """How a peer runs a file: `{file}`, `{slots}` and `{prefix}` are filled in. It may say how many seconds it took."""

    name: str
    command: str
    tells_seconds: bool = False
    # Of the case's tasks it runs this part: a slow peer needn't run as many to be known.
    share: float = 1
    environment: dict[str, str] = field(default_factory=dict)

    def words(self, **values: object) -> list[str]:
        return ["/bin/sh", "-c", "exec " + self.command.format(**values)]


@dataclass
class Stable:
    """What could be had of the peers, and why not the rest."""

    versions: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME", "TMPDIR") if name in os.environ}
        return {
            **keep,
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LC_ALL": "C",
            "SHELL": "/bin/bash",
            "HYPERQUEUE_TASKS": os.path.join(BENCHMARKS, "hyperqueue-tasks"),
            "PROGRAMS": PROGRAMS,
            "BUILT": BUILT,
            **self.paths,
        }


def first_line(words: list[str], pattern: str = ".*") -> str:
    with contextlib.suppress(OSError):
        text = subprocess.run(words, capture_output=True, text=True, check=False)
        found = re.search(pattern, (text.stdout + text.stderr).split("\n")[0])
        return found.group(0) if found else "unknown"
    return "unknown"


def install_packages(*names: str) -> bool:
    result = subprocess.run(
        [os.path.join(ROOT, "Scripts", "install-packages"), *names],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.returncode == 0


def install_from_pypi(requirement: str) -> str | None:
    """The folder of a virtual environment that has it."""
    folder = os.path.join(BUILT, requirement.replace("==", "-"))
    if not os.path.exists(os.path.join(folder, "complete")):
        try:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run(
                [os.path.join(folder, "bin", "pip"), "-q", "install", requirement],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        with open(os.path.join(folder, "complete"), "w", encoding="utf-8"):
            pass
    return folder


def build() -> None:
    """The static release programs, as `make release` builds them, and the helpers in C. NO_BUILD=1: only the latter."""
    if not os.environ.get("NO_BUILD"):
        subprocess.run(["make", "release"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    os.makedirs(BUILT, exist_ok=True)
    for name in ("timed", "spawnloop"):
        source, program = os.path.join(BENCHMARKS, f"{name}.c"), os.path.join(BUILT, name)
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    null = os.path.join(BUILT, "null")
    os.makedirs(os.path.join(null, "bin"), exist_ok=True)
    shutil.copy2(os.path.join(PROGRAMS, "disbatch"), null)
    # Engines that end every task at once: here, and on any host that there is not.
    for path in ("disbatch-engine", "bin/ssh"):
        with open(os.path.join(null, path), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec '{PROGRAMS}/benchmark' null-engine\n")
        os.chmod(os.path.join(null, path), 0o755)


def gather() -> Stable:
    """Installs what is missing, and says what there is."""
    stable = Stable()
    stable.versions["disbatch"] = first_line([os.path.join(PROGRAMS, "disbatch"), "--version"], r"[0-9][0-9.]*")
    stable.versions["bash"] = first_line(["bash", "--version"], r"[0-9][0-9.]*")
    stable.versions["xargs"] = first_line(["xargs", "--version"], r"[0-9][0-9.]*$")
    stable.versions["loop"] = first_line(["cc", "--version"])
    if install_packages("parallel"):
        stable.versions["parallel"] = first_line(["parallel", "--version"], r"[0-9]+$")
    else:
        stable.left_out["parallel"] = "the package parallel can't be installed"
    for name, requirement, program in (("disbatch3", DISBATCH_3, "disBatch"), ("hyperqueue", HYPERQUEUE, "python")):
        folder = install_from_pypi(requirement)
        if folder:
            stable.versions[name] = requirement.partition("==")[2]
            variable = "DISBATCH_3" if name == "disbatch3" else "PYTHON"
            stable.paths[variable] = os.path.join(folder, "bin", program)
        else:
            stable.left_out[name] = f"pip can't install {requirement}"
    return stable


DISBATCH = Peer("disbatch", '"$PROGRAMS"/disbatch -s localhost:{slots} --progress never -p {prefix} {file}')
LOOP_SHELL = Peer("loop", '"$BUILT"/spawnloop shell {slots} {file}')
LOOP_DIRECT = Peer("loop", '"$BUILT"/spawnloop direct {slots} {file}')
XARGS = Peer("xargs", "xargs -a {file} -d '\\n' -P {slots} -n 1 sh -c")
PARALLEL = Peer("parallel", "parallel -j {slots} -a {file}")
HYPERQUEUE_TASKS = Peer("hyperqueue", '"$PYTHON" "$HYPERQUEUE_TASKS" {slots} {file}', tells_seconds=True)
HYPERQUEUE_WHOLE = Peer("hyperqueue", '"$PYTHON" "$HYPERQUEUE_TASKS" {slots} {file} --whole')
DISBATCH_3_HERE = Peer("disbatch3", '"$DISBATCH_3" -s localhost:{slots} -p {prefix} {file}')
BASH = Peer("bash", "bash {file}")


def run(peer: Peer, environment: dict[str, str], limit: float, **values: object) -> dict[str, float]:
    """One sample."""
    environment = {**environment, **peer.environment}
    words = peer.words(**values)
    if not peer.tells_seconds:
        seconds, mebibytes = measure.timed(os.path.join(BUILT, "timed"), words, environment, limit)
        return {"seconds": seconds, "peak_mib": mebibytes}
    with measure.started(words, environment, stdout=subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise measure.Failed(f"took more than {limit:.0f} s") from None
        if process.returncode != 0:
            raise measure.Failed(measure.complaint(process))
    return {"seconds": float(output)}
