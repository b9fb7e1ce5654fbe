"""A real Slurm on this machine, four nodes of two cores, for rounds in its allocations."""

import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def is_possible() -> bool:
    """Whether Slurm is installed here."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return all(shutil.which(name, path=path) for name in ("slurmctld", "slurmd", "munged", "salloc", "srun"))


class Cluster:
    """Brought up by the tests' script when a round first asks for it."""

    def __init__(self) -> None:
        self.folder = ""
        self.service: subprocess.Popen | None = None

    def start(self) -> None:
        if self.service:
            return
        # Short: sockets stand in it, whose paths have 107 bytes at most.
        self.folder = tempfile.mkdtemp(prefix="slurm-")
        os.chmod(self.folder, 0o755)
        service = subprocess.Popen(
            [os.path.join(ROOT, "Tests/Support/slurm-cluster"), self.folder, "4", "2", "2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if b"ready" not in service.stdout.readline():
            service.stdin.close()
            raise OSError("Slurm does not start: see above")
        self.service = service

    @property
    def variables(self) -> dict[str, str]:
        """What programs of Slurm need in their environment."""
        return {"SLURM_CONF": os.path.join(self.folder, "slurm.conf")}

    def ask(self, *words: str) -> list[str]:
        """Runs a program of Slurm. The result is the lines that it printed."""
        result = subprocess.run(
            words, env=os.environ | self.variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        return result.stdout.decode().splitlines()

    def steps(self, job: str) -> list[str]:
        """The steps of a job, by its name, that run engines."""
        ids = self.ask("squeue", "-h", "-n", job, "-o", "%A")
        found = [line.split(" ", 1) for line in self.ask("squeue", "-h", "-s", "-o", "%i %j")]
        return [step for step, name in found if step.split(".")[0] in ids and name.startswith("disbatch-")]

    def end(self) -> None:
        if self.service:
            self.service.stdin.close()
            self.service.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
