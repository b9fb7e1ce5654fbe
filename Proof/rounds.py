"""A round: a run, what befalls it, and its end."""

import os
import random
import signal
import subprocess
import time
import uuid

import cluster
import hosts
import invariants
import processes

LEASE = 2


class Round:
    """One round. Its folder holds events.log, which says what was done when."""

    KINDS = ("local", "ssh", "relay", "disk", "slurm")

    def __init__(
        self,
        kind: str,
        seed: int,
        folder: str,
        program: str,
        programs: str,
        machines: hosts.Hosts,
        slurm: cluster.Cluster,
    ):
        self.kind, self.seed, self.folder = kind, seed, folder
        self.random = random.Random(f"{kind} {seed}")
        self.program, self.programs, self.machines, self.slurm = program, programs, machines, slurm
        self.mark = f"DISBATCH_CHAOS={uuid.uuid4()}"
        self.marks = os.path.join(folder, "marks")
        self.work = os.path.join(folder, "work")
        self.records = os.path.join(folder, "records")
        for path in (self.marks, self.work, self.records):
            os.makedirs(path)
        self.begun = time.monotonic()
        self.driver: subprocess.Popen | None = None
        self.relays: list[subprocess.Popen] = []
        self.runs = 0
        self.killed: set[int] = set()
        self.events: dict[str, int] = {}
        #: What is to be undone later: moment and deed.
        self.later: list[tuple[float, object]] = []
        self.groups: list[list[int]] = []
        self.said = ""
        self.how = self.random.choice(["append", "newest", "all"])
        self.client = self.random.choice(["openssh", "libssh2"])
        # Slurm here finds the processes of a step by their parents: daemons are none of its.
        self.has_daemons = kind in ("local", "disk") or kind != "slurm" and self.random.random() < 0.6
        #: The name of its jobs in Slurm.
        self.job = f"chaos-{uuid.uuid4()}"

    def log(self, text: str) -> None:
        with open(os.path.join(self.folder, "events.log"), "a", encoding="utf-8") as file:
            file.write(f"{time.monotonic() - self.begun:8.3f} {text}\n")

    # Its course

    def run_untroubled(self) -> None:
        """Runs it and nothing befalls it: one status file, with two barriers."""
        self.how, self.random = "append", random.Random(0)
        self.write_tasks(200, barrier=50)
        self.finish()

    def run(self, tasks: int) -> str | None:
        """Runs the round. The result is what is wrong."""
        try:
            self.write_tasks(tasks)
            if self.kind == "disk":
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.records], check=True)
            self.machines.set_mark(self.mark)
            self.machines.start()
            if self.kind == "slurm":
                self.slurm.start()
            self.trouble()
            self.finish()
            fault = None
            rows = self.check()
        except (invariants.Violation, ValueError, OSError, subprocess.SubprocessError) as error:
            fault, rows = f"{error}", 0
            self.log(f"FAILED: {error}")
        finally:
            self.clear()
        what = ", ".join(f"{count} x {name}" for name, count in sorted(self.events.items()))
        count = sum(map(len, self.groups))
        self.said = f"{count} tasks, {self.runs} runs, {rows} rows, {time.monotonic() - self.begun:.0f} s; {what}"
        return fault

    def write_tasks(self, most: int, barrier: int | None = None) -> None:
        draw = self.random
        count = draw.randint(most // 2, most)
        barrier = draw.choice([0, 0, 300, 700]) if barrier is None else barrier
        lines: list[str] = []
        self.groups = [[]]
        for number in range(count):
            if barrier and number % barrier == barrier - 1:
                lines.append("#DISBATCH BARRIER")
                self.groups.append([])
                continue
            # Few last for longer than it takes until those of a host that is cut off are given to others.
            rare = 0.3 if self.kind in ("ssh", "relay", "slurm") else 0.03
            longest = draw.choices([5, 40, 200, 2000, 16000], [40, 50, 14, 2, rare])[0]
            words = draw.choices(["", " flaky", " daemon", " flaky daemon"], [85, 5, 9, 1])[0]
            if not self.has_daemons:
                words = words.replace(" daemon", "")
            # One in three is started by a shell.
            lines.append(
                f"{self.program} {self.marks} {draw.randint(0, longest)}{words}" + draw.choice(["", "", " ; exit $?"])
            )
            self.groups[-1].append(number)
        self.groups = [group for group in self.groups if group]
        with open(os.path.join(self.work, "tasks"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def trouble(self) -> None:
        """Starts runs, and does what befalls them, until all is done or it has been enough."""
        limit = time.monotonic() + self.random.uniform(5, 12 if self.kind in ("local", "disk") else 20)
        while time.monotonic() < limit:
            if self.driver is None:
                self.start()
            self.pass_time(self.random.expovariate(1 / 0.5))
            status = self.driver.poll() if self.driver else None
            if status is not None:
                self.ended(status)
                if status == 0:
                    return
                continue
            name = self.random.choice(self.choices())
            self.log(name)
            if getattr(self, name)():
                self.events[name] = self.events.get(name, 0) + 1

    def pass_time(self, seconds: float) -> None:
        """Waits, undoes what is to be undone meanwhile, and sees that a run without contexts gets some."""
        limit = time.monotonic() + seconds
        while True:
            for moment, deed in list(self.later):
                if moment <= time.monotonic():
                    self.later.remove((moment, deed))
                    deed()
            self.add_contexts()
            if time.monotonic() >= limit:
                return
            time.sleep(0.02)

    def finish(self) -> None:
        """Heals everything, and lets runs follow each other until one ends with status 0."""
        self.heal()
        for _ in range(8):
            if self.driver is None:
                if self.runs and self.is_done:
                    return
                self.start()
            size, since = -1, time.monotonic()
            while self.driver.poll() is None:
                self.pass_time(0.05)
                now = sum(os.path.getsize(path) for path in self.status_files())
                if now != size:
                    size, since = now, time.monotonic()
                if time.monotonic() > since + 150:
                    invariants.fail("a run ends", f"{self.prefix}: no row for 150 s")
            self.ended(self.driver.returncode)
        if not self.is_done:
            invariants.fail("a run ends with status 0", f"not so after {self.runs} runs, the last {self.prefix}")

    is_done = False

    def ended(self, status: int) -> None:
        self.log(f"{self.prefix} ended with {status}")
        self.driver = None
        # 1: what failed or was lost too often is left for -R.
        good = {0, 1, 3, -signal.SIGKILL} | {"disk": {2}, "slurm": {4, 129, 143}}.get(self.kind, set())
        if status not in good:
            invariants.fail("exit status", f"{self.prefix} ended with {status}")
        self.is_done = status == 0

    # Its run

    @property
    def prefix(self) -> str:
        return os.path.join(self.records, "run" if self.how == "append" else f"run{self.runs}")

    def status_files(self) -> list[str]:
        count = self.runs if self.how != "append" else min(self.runs, 1)
        names = ["run"] * count if self.how == "append" else [f"run{number}" for number in range(1, count + 1)]
        paths = [os.path.join(self.records, name + "_status.txt") for name in names]
        return [path for path in paths if os.path.exists(path)]

    def environment(self) -> dict[str, str]:
        name, value = self.mark.split("=")
        slurm = self.slurm.variables if self.kind == "slurm" else {}
        return os.environ | {name: value, "PATH": self.machines.search_path} | slurm

    def start(self) -> None:
        old = self.status_files()
        if self.how == "newest":
            old = old[-1:]
        self.runs += 1
        words = [
            os.path.join(self.programs, "disbatch"),
            "-e",
            "--progress",
            "never",
            "--lease",
            f"{LEASE}s",
            "-p",
            self.prefix,
        ]
        words += ["--max-lost", self.random.choice(["1", "3", "50"])]
        if self.kind == "relay":
            words += ["-S"]
        elif self.kind == "ssh":
            words += [
                "-s",
                "nodeA:3,nodeB:3,nodeC:2",
                "--ssh-client",
                self.client,
                "--reconnect",
                self.random.choice(["0", "5"]),
            ]
        elif self.kind == "slurm":
            tasks, nodes = self.random.choice([("3", "3"), ("8", "4"), ("4", "2")])
            words = ["salloc", "-Q", "-J", self.job, "-n", tasks, "-N", nodes] + words
        else:
            words += ["-s", f"localhost:{self.random.choice([2, 6, 12])}"]
        for path in old:
            words += ["-r", path]
        words += ["-R"] if old else []
        self.log(" ".join(words))
        with open(os.path.join(self.folder, f"driver{self.runs}.out"), "wb") as out:
            self.driver = subprocess.Popen(
                [*words, "tasks"],
                cwd=self.work,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def driver_pid(self) -> int | None:
        """The driver's: with Slurm it is salloc's child, once there is an allocation."""
        if self.kind != "slurm":
            return self.driver.pid
        return next((p.pid for p in self.ours() if p.parent == self.driver.pid and p.name == "disbatch"), None)

    def add_contexts(self) -> None:
        """A run that waits for contexts has one or two."""
        self.relays = [relay for relay in self.relays if relay.poll() is None]
        script = self.prefix + "_dbUtil.sh"
        if self.kind != "relay" or self.driver is None or self.driver.poll() is not None or len(self.relays) > 1:
            return
        said = os.path.join(self.folder, f"driver{self.runs}.out")
        with open(said, "rb") as file:
            if b"_dbUtil.sh" not in file.read():
                return
        where = self.random.choice(["localhost:3", "nodeA:3", "nodeB:2,nodeC:2"])
        words = ["-s", where, "--ssh-client", self.client] if where[0] == "n" else ["-s", where]
        self.log(f"context {where}")
        with open(os.path.join(self.folder, "relays.out"), "ab") as out:
            self.relays.append(
                subprocess.Popen(
                    [script, *words],
                    cwd=self.work,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            )

    # What befalls it: each says whether it did

    def choices(self) -> list[str]:
        common = ["kill_driver", "stop_driver", "kill_guard", "kill_engine", "kill_engine", "kill_pair", "stop_engine"]
        remote = ["kill_session", "kill_host", "freeze_host", "kill_engine"] + (
            ["cut_host"] * 2 if hosts.can_cut() else []
        )
        return {
            "local": common + ["kill_all", "stop_guard"],
            "disk": common + ["fill_disk"] * 5,
            "ssh": common + remote + ["kill_client", "kill_all"],
            "relay": common + remote + ["kill_relay", "kill_relay", "stop_relay", "stop_relay", "kill_client"],
            # Without cgroups Slurm does not find what guard and engine left, and says that the step is gone.
            "slurm": [name for name in common if name != "kill_pair"]
            + ["kill_srun", "kill_srun", "stop_srun", "kill_stepd", "cancel_step", "cancel_step", "cancel_job"],
        }[self.kind]

    def ours(self) -> list[processes.Process]:
        """The processes of this round that may be harmed: none of tasks."""
        return [process for process in processes.everybody() if process.has(self.mark)]

    def engines(self) -> list[tuple[int, int | None]]:
        """Guards, each with its engine."""
        found = [process for process in self.ours() if process.is_engine]
        pids = {process.pid for process in found}
        guards = [process.pid for process in found if process.parent not in pids]
        return [(pid, next((p.pid for p in found if p.parent == pid), None)) for pid in guards]

    def pause(self, pids: list[int], longest: float) -> bool:
        """Stops processes, and lets them go on some time later."""
        seconds = self.random.choice([0.05, 0.3, 1, longest])
        processes.send(pids, signal.SIGSTOP)
        self.log(f"  stopped {pids} for {seconds} s")
        self.later.append((time.monotonic() + seconds, lambda: processes.send(pids, signal.SIGCONT)))
        return bool(pids)

    def kill(self, pids: list[int]) -> bool:
        self.log(f"  killed {pids}")
        processes.kill_at_once(pids)
        return bool(pids)

    def one_of(self, found: list) -> list:
        return [self.random.choice(found)] if found else []

    def kill_driver(self) -> bool:
        return self.kill_with_driver([])

    def kill_with_driver(self, others: list[int]) -> bool:
        driver = self.driver_pid()
        if driver is None:
            return False
        self.killed.add(driver)
        self.kill([driver] + others)
        status = self.driver.wait()
        # salloc ends with 0 when what it ran was killed.
        self.ended(-signal.SIGKILL if self.kind == "slurm" else status)
        return True

    def stop_driver(self) -> bool:
        driver = self.driver_pid()
        return driver is not None and self.pause([driver], LEASE + 3)

    def kill_guard(self) -> bool:
        return self.kill([pair[0] for pair in self.one_of(self.engines())])

    def kill_engine(self) -> bool:
        return self.kill([pair[1] for pair in self.one_of(self.engines()) if pair[1]])

    def kill_pair(self) -> bool:
        """Guard and engine at one moment: nobody sees the other die."""
        return self.kill([pid for pair in self.one_of(self.engines()) for pid in pair if pid])

    def kill_all(self) -> bool:
        """Driver, guard and engine at one moment."""
        return self.kill_with_driver([pid for pair in self.engines() for pid in pair if pid])

    def stop_engine(self) -> bool:
        return self.pause([pair[1] for pair in self.one_of(self.engines()) if pair[1]], LEASE + 4)

    def stop_guard(self) -> bool:
        return self.pause([pair[0] for pair in self.one_of(self.engines())], LEASE + 4)

    def named(self, name: str) -> list[int]:
        return [process.pid for process in self.ours() if process.name == name]

    def kill_client(self) -> bool:
        return self.kill(self.one_of(self.named("ssh")))

    def kill_relay(self) -> bool:
        return self.kill([relay.pid for relay in self.one_of(self.relays)])

    def stop_relay(self) -> bool:
        return self.pause([relay.pid for relay in self.one_of(self.relays)], LEASE + 3)

    def kill_srun(self) -> bool:
        return self.kill(self.one_of(self.named("srun")))

    def stop_srun(self) -> bool:
        return self.pause(self.one_of(self.named("srun")), LEASE + 3)

    def kill_stepd(self) -> bool:
        """What runs a step on its node."""
        parents = {processes.look(guard).parent for guard, _ in self.engines() if processes.look(guard)}
        found = [parent for parent in map(processes.look, parents) if parent and parent.name.startswith("slurmstepd")]
        return self.kill(self.one_of([parent.pid for parent in found]))

    def cancel_step(self) -> bool:
        step = self.one_of(self.slurm.steps(self.job))
        self.log(f"  {step}")
        self.slurm.ask("scancel", *step)
        return bool(step)

    def cancel_job(self) -> bool:
        self.slurm.ask("scancel", "-n", self.job)
        return True

    def kill_session(self) -> bool:
        """The sshd of one connection."""
        host = self.random.choice(self.machines.hosts)
        found = [process.pid for process in host.everybody() if process.name == "sshd" and process.pid != host.sshd.pid]
        return self.kill(self.one_of(found))

    def kill_host(self) -> bool:
        host = self.random.choice(self.machines.hosts)
        self.log(f"  {host.name}")
        host.kill()
        self.later.append((time.monotonic() + self.random.uniform(0, 3), self.machines.start))
        return True

    def freeze_host(self) -> bool:
        """For longer than the lease, but not until its tasks are given to others: it would have to be gone by then."""
        host = self.random.choice(self.machines.hosts)
        self.log(f"  {host.name}")
        host.freeze()
        self.later.append((time.monotonic() + self.random.choice([0.3, 1, LEASE + 2]), host.thaw))
        return True

    def cut_host(self) -> bool:
        host = self.random.choice(self.machines.hosts)
        seconds = self.random.choice([0.5, 2, LEASE + 2, LEASE + 13])
        self.log(f"  {host.name} for {seconds} s")
        host.cut(True)
        self.later.append((time.monotonic() + seconds, lambda: host.cut(False)))
        return True

    def fill_disk(self) -> bool:
        path = os.path.join(self.records, "ballast")
        try:
            with open(path, "ab", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        except OSError:
            pass
        self.later.append((time.monotonic() + self.random.choice([0.1, 1, 3]), self.empty_disk))
        return True

    def empty_disk(self) -> None:
        if os.path.exists(os.path.join(self.records, "ballast")):
            os.unlink(os.path.join(self.records, "ballast"))

    def heal(self) -> None:
        """Undoes all that can be undone."""
        for _, deed in self.later:
            deed()
        self.later.clear()
        self.empty_disk()
        self.machines.start()

    # Its end

    def check(self) -> int:
        """Checks all invariants. The result is how many rows there are."""
        invariants.check_nothing_left(self.mark, [self.folder], killed=frozenset(self.killed))
        if os.path.exists(self.prefix + "_alive"):
            invariants.fail("no temporary file is left", self.prefix + "_alive")
        marks = invariants.Marks(self.marks)
        invariants.check_overlaps(marks)
        rows = invariants.check_rows(self.status_files(), self.groups, marks)
        invariants.check_newest(self.status_files()[-1], self.groups)
        return rows

    def clear(self) -> None:
        """Ends whatever a failed round left, and brings its records where they are kept."""
        self.heal()
        processes.wait_until(lambda: not self.kill_what_is_left(), 10)
        if self.kind == "disk" and os.path.ismount(self.records):
            kept = os.path.join(self.folder, "kept")
            subprocess.run(["cp", "-a", self.records, kept], check=False)
            subprocess.run(["umount", "-l", self.records], check=False)

    def kill_what_is_left(self) -> bool:
        left = [process.pid for process in self.ours()]
        processes.send(left, signal.SIGKILL)
        if self.driver:
            self.driver.poll()
        return bool(left)
