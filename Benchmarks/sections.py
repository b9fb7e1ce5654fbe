"""What is measured: sections of cases, each with the peers that take part."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace

import contestants
import measure
from contestants import Peer

NULL = os.path.join(contestants.BUILT, "null")


@dataclass
class Case:
    """One file of tasks, by each of the peers in turn."""

    name: str
    task: str
    tasks: int
    slots: int
    peers: list[Peer]
    rounds: int = 5
    # Seconds that a run may take; who needs more is left out.
    limit: float = 90
    # Other axes of the plots.
    axes: dict[str, float] = field(default_factory=dict)
    # Instead of a run: what takes a sample.
    sample: object = None


@dataclass
class Section:
    name: str
    what: str
    # Minutes, about, on two cores of 2020.
    minutes: float
    cases: object
    # Brings up services, and gives the environment that the peers need.
    services: object = None
    # Long ones are measured only when named.
    is_long: bool = False


def lines(folder: str, task: str, count: int) -> str:
    """A file of so many equal lines."""
    path = os.path.join(folder, f"tasks-{abs(hash((task, count)))}")
    if not os.path.exists(path):
        block = 10000
        with open(path, "w", encoding="utf-8") as file:
            for begin in range(0, count, block):
                file.write(f"{task}\n" * min(block, count - begin))
    return path


# One task


def start_cases(quick: bool) -> list[Case]:
    peers = [
        contestants.DISBATCH,
        contestants.BASH,
        contestants.XARGS,
        contestants.PARALLEL,
        contestants.HYPERQUEUE_WHOLE,
        contestants.DISBATCH_3_HERE,
    ]
    return [Case("one task", "true", 1, 1, peers, rounds=3 if quick else 15)]


# Here


def local_cases(quick: bool) -> list[Case]:
    cases = []
    # Slow peers run a part of the file, which tells how fast they are.
    for name, task, count, parts in (
        ("0 ms, by a shell", "true", 2000, (0.2, 0.4, 0.005)),
        ("0 ms, a program", "/bin/true", 2000, (0.2, 0.4, 0.005)),
        ("10 ms", "/bin/sleep 0.01", 200, (1, 1, 0.05)),
        ("100 ms", "/bin/sleep 0.1", 40, (1, 1, 0.25)),
    ):
        for slots in (1, 2):
            loop = contestants.LOOP_SHELL if task == "true" else contestants.LOOP_DIRECT
            slow = (contestants.PARALLEL, contestants.HYPERQUEUE_TASKS, contestants.DISBATCH_3_HERE)
            peers = [contestants.DISBATCH, loop, contestants.XARGS]
            peers += [replace(peer, share=share) for peer, share in zip(slow, parts)]
            cases.append(Case(name, task, count // 10 if quick else count, slots, peers, rounds=2 if quick else 4))
    return cases


# By SSH


@contextlib.contextmanager
def ssh_hosts(folder: str):
    """Two sshd's on addresses of their own, of which each has one slot."""
    if not contestants.install_packages("openssh-server", "openssh-client", "procps", "util-linux"):
        raise measure.Failed("openssh-server can't be installed")
    sys.path.insert(0, os.path.join(contestants.ROOT, "Proof"))
    import hosts

    client = hosts.Hosts(["bench1", "bench2"], os.path.join(folder, "ssh"))
    kept = {host.sshd.pid for host in client.hosts}
    try:
        yield {"PATH": client.search_path}, kept
    finally:
        client.end()


def ssh_cases(quick: bool) -> list[Case]:
    ours = Peer("disbatch", '"$PROGRAMS"/disbatch -s bench1:1,bench2:1 --progress never -p {prefix} {file}')
    parallel = Peer("parallel", "parallel -M --sshlogin 1/bench1,1/bench2 --workdir . -a {file}")
    disbatch3 = Peer("disbatch3", '"$DISBATCH_3" -s bench1:1,bench2:1 -p {prefix} {file}')
    xargs = Peer("ssh", "xargs -a {file} -d '\\n' -P 2 -n 1 sh -c 'exec ssh bench$((1 + $$ % 2)) \"$0\"'")
    cases = []
    for name, task, count, rounds, share in (
        ("one task each", "true", 2, 5, 1),
        ("0 ms", "true", 200, 4, 0.25),
        ("10 ms", "sleep 0.01", 200, 4, 0.25),
        ("100 ms", "sleep 0.1", 60, 4, 1),
    ):
        few = max(2, count // 10) if quick else count
        peers = [ours, parallel, replace(disbatch3, share=min(1, 10 / count)), replace(xargs, share=share)]
        cases.append(Case(name, task, few, 2, peers, rounds=1 if quick else rounds))
    return cases


# In a job


@contextlib.contextmanager
def slurm_cluster(folder: str):
    """A Slurm of two nodes, each with one CPU."""
    if not contestants.install_packages("slurmctld", "slurmd", "slurm-client", "munge"):
        raise measure.Failed("Slurm can't be installed")
    where = os.path.join(folder, "slurm")
    script = os.path.join(contestants.ROOT, "Tests", "Support", "slurm-cluster")
    cluster = subprocess.Popen(
        [script, where, "2", "1", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        if cluster.stdout.readline() != b"ready\n":
            raise measure.Failed("Slurm does not start: " + cluster.stderr.read().decode()[-300:])
        # Its daemons have left it.
        yield {"SLURM_CONF": os.path.join(where, "slurm.conf")}, {cluster.pid, *measure.descendants(os.getpid())}
    finally:
        cluster.stdin.close()
        cluster.wait()


ARRAY = """
limit=$(wc -l <{file})
job=$(sbatch --parsable --array=1-$limit%{slots} -o /dev/null -e /dev/null \\
    --wrap 'sed -n "$SLURM_ARRAY_TASK_ID"p {file} | sh') || exit
while [ -n "$(squeue -h -j "$job" -o %A 2>/dev/null)" ]; do sleep 0.1; done"""


def slurm_cases(quick: bool) -> list[Case]:
    salloc = "salloc -Q -N 2 -n 2 "
    ours = Peer("disbatch", salloc + '"$PROGRAMS"/disbatch --progress never -p {prefix} {file}')
    disbatch3 = Peer("disbatch3", salloc + '"$DISBATCH_3" -p {prefix} {file}')
    srun = Peer("srun", salloc + "xargs -a {file} -d '\\n' -P 2 -n 1 srun -Q -N 1 -n 1 --exact sh -c")
    array = Peer("array", "sh -c '" + ARRAY.replace("'", "'\\''") + "'")
    cases = []
    for name, task, count, rounds, share in (
        ("one task each", "true", 2, 4, 1),
        ("0 ms", "true", 200, 3, 0.2),
        ("100 ms", "sleep 0.1", 60, 3, 0.5),
    ):
        few = max(2, count // 10) if quick else count
        peers = [ours, replace(srun, share=share), replace(array, share=share)]
        peers += [replace(disbatch3, share=min(1, 10 / count))]
        cases.append(Case(name, task, few, 2, peers, rounds=1 if quick else rounds))
    return cases


# Memory


def memory_sample(peer: Peer, case: Case, environment: dict[str, str], values: dict) -> dict:
    """The largest sum of what all of a tool's processes have, while its tasks run."""
    highest, parts = 0.0, {}
    limit = time.monotonic() + case.limit
    with measure.started(peer.words(**values), environment) as process:
        while process.poll() is None:
            total, by_name = measure.memory(process.pid, case.task)
            if total > highest:
                highest, parts = total, by_name
            if time.monotonic() > limit:
                raise measure.Failed(f"took more than {case.limit:.0f} s")
            time.sleep(0.05)
    return {"sum_mib": highest, "programs_mib": parts}


def memory_cases(quick: bool) -> list[Case]:
    peers = [
        contestants.DISBATCH,
        contestants.XARGS,
        contestants.PARALLEL,
        contestants.HYPERQUEUE_WHOLE,
        contestants.DISBATCH_3_HERE,
    ]
    return [
        Case(
            "60 tasks of 100 ms",
            "sleep 0.1",
            20 if quick else 60,
            2,
            peers,
            rounds=1 if quick else 3,
            sample=memory_sample,
        )
    ]


# A million


def first_sample(peer: Peer, case: Case, environment: dict[str, str], values: dict) -> dict:
    """How long until the first of many tasks has run, and what memory the tool has two seconds later."""
    flag = values["prefix"] + ".first"
    tasks = values["prefix"] + ".tasks"
    with open(tasks, "wb") as file, open(values["file"], "rb") as rest:
        file.write(f": >{flag}\n".encode())
        shutil.copyfileobj(rest, file, 1 << 20)
    begin = time.monotonic()
    try:
        with measure.started(peer.words(**{**values, "file": tasks}), environment) as process:
            while not os.path.exists(flag):
                if time.monotonic() > begin + case.limit:
                    raise measure.Failed(f"took more than {case.limit:.0f} s")
                if process.poll() is not None:
                    raise measure.Failed(measure.complaint(process))
                time.sleep(0.001)
            seconds = time.monotonic() - begin
            time.sleep(2)
            total, by_name = measure.memory(process.pid, case.task)
    finally:
        os.remove(tasks)
    return {"seconds": seconds, "sum_mib": total, "programs_mib": by_name}


def null_peer(hosts: str) -> Peer:
    return Peer(
        "disbatch",
        '"$BUILT"/null/disbatch -s "$HOSTS" --ssh-client openssh --progress never -p {prefix} {file}',
        environment={"PATH": f"{NULL}/bin:/usr/bin:/bin", "HOSTS": hosts},
    )


def million_cases(quick: bool) -> list[Case]:
    peers = [
        contestants.DISBATCH,
        contestants.XARGS,
        contestants.PARALLEL,
        contestants.HYPERQUEUE_WHOLE,
        contestants.DISBATCH_3_HERE,
    ]
    count = 100_000 if quick else 1_000_000
    rounds = 1 if quick else 3
    cases = [Case("until the first has run", "sleep 20", count, 2, peers, rounds=rounds, sample=first_sample)]
    for slots in (2, 16, 128):
        cases.append(
            Case(
                f"by a null engine of {slots} slots",
                "echo a task",
                count,
                slots,
                [null_peer(f"localhost:{slots}")],
                rounds=1 if quick else 3,
            )
        )
    return cases


def million_real_cases(quick: bool) -> list[Case]:
    peers = [contestants.DISBATCH, contestants.LOOP_DIRECT, contestants.XARGS]
    return [Case("a million programs", "/bin/true", 10_000 if quick else 1_000_000, 2, peers, rounds=1, limit=3600)]


# Growth


def tasks_cases(quick: bool) -> list[Case]:
    cases = []
    for exponent in range(3, 6 if quick else 8):
        cases.append(
            Case(
                f"10^{exponent} tasks",
                "echo a task",
                10**exponent,
                128,
                [null_peer("localhost:128")],
                rounds=1 if quick or exponent == 7 else 3,
                limit=600,
                axes={"tasks": 10**exponent},
            )
        )
    return cases


def engines_cases(quick: bool) -> list[Case]:
    cases = []
    for engines in (1, 10, 100) if quick else (1, 10, 100, 1000):
        # What remains when the start falls out: the difference of two runs.
        hosts = ",".join(f"n{index}:4" for index in range(engines))
        for count in (10_000, 60_000) if quick else (50_000, 350_000):
            cases.append(
                Case(
                    f"{engines} engines, {count} tasks",
                    "echo a task",
                    count,
                    4 * engines,
                    [null_peer(hosts)],
                    rounds=1 if quick else 3,
                    axes={"engines": engines, "tasks": count},
                )
            )
    return cases


SECTIONS = [
    Section("start", "one task, from nothing to its end", 1.5, start_cases),
    Section("local", "tasks of 0, 10 and 100 ms here", 12, local_cases),
    Section("ssh", "two hosts by SSH", 2.5, ssh_cases, ssh_hosts),
    Section("slurm", "a job of two nodes", 2.5, slurm_cases, slurm_cluster),
    Section("memory", "memory of driver and engine", 1.5, memory_cases),
    Section("million", "a file of a million tasks", 3, million_cases),
    Section("tasks", "growth with the number of tasks", 2.5, tasks_cases),
    Section("engines", "growth with the number of engines", 1.5, engines_cases),
    Section("million-real", "a million programs, which takes half an hour", 35, million_real_cases, is_long=True),
]


@contextlib.contextmanager
def no_services(_folder: str):
    yield {}, set()


def temporary_folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="bench")
