"""Hosts that ssh reaches: an sshd each, on a loopback address of its own. Files and processes are this machine's."""

import getpass
import os
import random
import shutil
import signal
import socket
import subprocess

import processes

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def can_cut() -> bool:
    """Whether networks can be cut here."""
    return (
        os.geteuid() == 0
        and subprocess.run(["iptables", "-w", "-L", "INPUT", "-n"], capture_output=True, check=False).returncode == 0
    )


class Host:
    """One sshd and what it runs."""

    def __init__(self, name: str, address: str, folder: str):
        self.name, self.address, self.folder = name, address, os.path.join(folder, name)
        self.shared = folder
        self.port = 0
        self.sshd: subprocess.Popen | None = None
        self.is_cut = False
        os.makedirs(os.path.join(self.folder, "home"))
        make_key(os.path.join(self.folder, "key"))
        session = os.path.join(self.folder, "session")
        with open(session, "w", encoding="utf-8") as file:
            file.write(
                f"#!/bin/sh\nexport HOME='{self.folder}/home' CHAOS_HOST='{self.folder}'\n"
                f". '{folder}/mark'\ncd || exit\n"
                'exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
            )
        os.chmod(session, 0o755)

    def start(self) -> None:
        if self.port == 0:
            with socket.socket() as probe:
                probe.bind((self.address, 0))
                self.port = probe.getsockname()[1]
        configuration = os.path.join(self.folder, "sshd_config")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(
                f"ListenAddress {self.address}:{self.port}\nHostKey {self.folder}/key\nPidFile none\n"
                f"AuthorizedKeysFile {self.shared}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                f"PasswordAuthentication no\nForceCommand {self.folder}/session\nMaxStartups 400:30:500\n"
                # The login shell reads its start-up files before the session's command is run.
                f"SetEnv HOME={self.folder}/home\n"
                "MaxSessions 100\nUseDNS no\nPrintMotd no\n"
            )
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        words = [SSHD, "-D", "-e", "-f", configuration]
        if os.geteuid() == 0:
            words = ["unshare", "--uts", "/bin/sh", "-c", 'hostname "$0"; exec "$@"', self.name] + words
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.sshd = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not processes.wait_until(self.accepts, 20):
            raise OSError(f"sshd of {self.name} does not start: see {self.folder}/log")

    def accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    def everybody(self) -> list[processes.Process]:
        """sshd, sessions, and what those started."""
        among = processes.everybody()
        roots = {process.pid for process in among if process.has(f"CHAOS_HOST={self.folder}")}
        if self.sshd and self.sshd.poll() is None:
            roots.add(self.sshd.pid)
        return processes.below(roots, among)

    def freeze(self) -> set[int]:
        """Stops all that runs there. The result is whom."""
        stopped: set[int] = set()
        while True:
            running = {process.pid for process in self.everybody()} - stopped
            if not running:
                return stopped
            processes.send(list(running), signal.SIGSTOP)
            stopped |= running

    def thaw(self) -> None:
        processes.send([process.pid for process in self.everybody()], signal.SIGCONT)

    def kill(self) -> None:
        """Ends all that runs there, as a loss of power does."""
        while True:
            running = self.freeze()
            processes.send(list(running), signal.SIGKILL)
            if self.sshd:
                self.sshd.kill()
                self.sshd.wait()
                self.sshd = None
            if processes.wait_until(lambda: not self.everybody(), 5):
                return

    def cut(self, is_cut: bool) -> None:
        """Lets every packet to and from it vanish, or no longer."""
        if is_cut == self.is_cut:
            return
        self.is_cut = is_cut
        for end in ("-s", "-d"):
            subprocess.run(
                ["iptables", "-w", "-I" if is_cut else "-D", "INPUT", end, self.address, "-j", "DROP"], check=True
            )


def make_key(path: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "proof", "-f", path], check=True)


class Hosts:
    """Some hosts, and the client's files for them."""

    def __init__(self, names: list[str], folder: str):
        self.folder = folder
        os.makedirs(os.path.join(folder, "bin"))
        make_key(os.path.join(folder, "id"))
        self.set_mark("NONE=1")
        network = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}"
        self.hosts = [Host(name, f"{network}.{index + 2}", folder) for index, name in enumerate(names)]
        self.start()
        self.write_client_files()

    def set_mark(self, mark: str) -> None:
        """What sessions have in their environment from now on."""
        with open(os.path.join(self.folder, "mark"), "w", encoding="utf-8") as file:
            file.write(f"export {mark}\n")

    def write_client_files(self) -> None:
        config = known = ""
        for host in self.hosts:
            config += f"Host {host.name}\n  HostName {host.address}\n  Port {host.port}\n"
            with open(os.path.join(host.folder, "key.pub"), encoding="utf-8") as file:
                known += f"[{host.address}]:{host.port} {' '.join(file.read().split()[:2])}\n"
        config += (
            f"Host *\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.folder}/id\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n  BatchMode yes\n  ConnectTimeout 10\n"
        )
        for name, text in (("config", config), ("known_hosts", known)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        ssh = os.path.join(self.folder, "bin", "ssh")
        with open(ssh, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec {shutil.which('ssh')} -F '{self.folder}/config' \"$@\"\n")
        os.chmod(ssh, 0o755)

    @property
    def search_path(self) -> str:
        return os.path.join(self.folder, "bin") + ":" + os.environ["PATH"]

    def start(self) -> None:
        """Heals and starts whatever is not in order."""
        for host in self.hosts:
            host.cut(False)
            host.thaw()
            if host.sshd is None or host.sshd.poll() is not None:
                host.kill()
                host.start()

    def end(self) -> None:
        for host in self.hosts:
            host.cut(False)
            host.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
