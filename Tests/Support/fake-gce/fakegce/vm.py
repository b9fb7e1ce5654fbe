"""A fake machine as it is seen from outside: addresses, keys, the processes' namespaces."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any

SSHD = """\
ListenAddress {listen}
HostKey {folder}/ssh_host_ed25519_key
PidFile none
UsePAM no
PermitRootLogin {root}
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
UseDNS no
AcceptEnv LANG LC_*
SetEnv GCE_METADATA_HOST={metadata}
Subsystem sftp /usr/lib/openssh/sftp-server
LogLevel VERBOSE
"""


class Addresses:
    """Loopback addresses: external ones 127.N.0.0/17, internal ones 127.N.128.0/17; N is this fake's alone."""

    def __init__(self) -> None:
        for number in range(10, 250):
            lock = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(OSError):
                lock.bind(f"\0fake-gce-127.{number}")
                self._lock = lock
                self._network = number
                break
            lock.close()
        else:
            raise SystemExit("fake-gce: all networks from 127.10 to 127.249 are taken")
        self._given = 0
        self._free: list[int] = []
        own = f"127.{number}.128.1"
        self.metadata = own
        self.ssh_port = 22 if can_bind(own, 22) else free_port()
        self.metadata_port = 80 if can_bind(own, 80) else free_port()

    def take(self) -> tuple[str, str]:
        """An external address, and the internal one that belongs to it."""
        if self._given < 100 * 250:
            self._given += 1
            index = self._given
        else:
            index = self._free.pop(0)
        high, low = divmod(index, 250)
        return f"127.{self._network}.{high}.{low + 2}", f"127.{self._network}.{128 + high}.{low + 2}"

    def give_back(self, internal: str) -> None:
        """The addresses may be used again, though not soon."""
        high, low = (int(part) for part in internal.split(".")[2:])
        self._free.append((high - 128) * 250 + low - 2)


def can_bind(address: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody has on any loopback address."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


def users_of(metadata: dict[str, str]) -> dict[str, list[str]]:
    """Keys by user, as the guest agent reads them; what it doesn't understand it ignores."""
    found: dict[str, list[str]] = {}
    if metadata.get("enable-oslogin", "").lower() == "true":
        return found
    for line in metadata.get("ssh-keys", "").splitlines():
        match = re.fullmatch(r"([a-z_][-a-z0-9_.]{0,31}):((?:ssh-|ecdsa-)\S+ \S+.*)", line.strip())
        if match:
            found.setdefault(match[1], []).append(match[2])
    return found


class VirtualMachine:
    """The processes of one machine, from power on to power off."""

    def __init__(
        self,
        folder: pathlib.Path,
        plan: dict[str, Any],
        metadata: dict[str, str],
        permit_root: bool,
        ended: Callable[[], None],
    ) -> None:
        self.folder = folder
        self.plan = plan
        self.ended = ended
        self.has_ended = threading.Event()
        folder.mkdir(parents=True)
        self.host_key = self._make_key()
        listen = [plan["internal"]] + ([plan["external"]] if plan["external"] else [])
        text = SSHD.format(
            listen=f"{listen[0]}:{plan['port']}",
            folder="/run/fake-gce/disk",
            root="prohibit-password" if permit_root else "no",
            metadata=plan["metadataHost"],
        )
        text += "".join(f"ListenAddress {address}:{plan['port']}\n" for address in listen[1:])
        (folder / "sshd_config").write_text(text, encoding="utf-8")
        for name in ("startup-script", "shutdown-script"):
            if metadata.get(name):
                (folder / name).write_text(metadata[name], encoding="utf-8")
        # What the guest's users may not see stands in the same folder.
        folder.chmod(0o700)

    def _make_key(self) -> str:
        path = self.folder / "ssh_host_ed25519_key"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.plan["name"], "-f", str(path)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return " ".join(path.with_suffix(".pub").read_text(encoding="utf-8").split()[:2])

    @property
    def serial_path(self) -> pathlib.Path:
        """What the machine wrote to its console."""
        return self.folder / "serial"

    def start(self) -> None:
        """Power on."""
        program = pathlib.Path(__file__).parent / "vm_init.py"
        with open(self.serial_path, "ab") as serial:
            self._process = subprocess.Popen(
                [
                    "unshare",
                    "--mount",
                    "--uts",
                    "--ipc",
                    "--pid",
                    "--fork",
                    "--kill-child=KILL",
                    "--mount-proc",
                    "/usr/bin/python3",
                    "-I",
                    "-S",
                    str(program),
                ],
                stdin=subprocess.PIPE,
                stdout=serial,
                stderr=serial,
                start_new_session=True,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        threading.Thread(target=self._watch, daemon=True).start()
        self.order(json.dumps(self.plan | {"folder": str(self.folder)}))

    def _watch(self) -> None:
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self.has_ended.set()
        self.ended()

    def is_listening(self) -> bool:
        """Whether sshd accepts connections."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.plan["internal"], self.plan["port"])) == 0

    def order(self, text: str) -> None:
        """Tells the guest something: `notice`, `off`, `freeze`, `thaw`, `keys` and JSON."""
        with contextlib.suppress(OSError):
            self._process.stdin.write(text.encode() + b"\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    def kill(self) -> None:
        """Power off without a word."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def remove(self) -> None:
        """Its disk is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)
