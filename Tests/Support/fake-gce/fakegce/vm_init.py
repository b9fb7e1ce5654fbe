"""The first process of a fake machine, in namespaces of its own: `unshare ... python3 -I -S vm_init.py`.

Its standard input gives a line of JSON (see vm.py), then orders, a line each: `notice`, `off`, `freeze`, `thaw`,
`keys` and who may log in. When
it ends, so does the machine. Its standard output is the serial console, and so is that of the guest's scripts.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from typing import Any

MS_BIND = 4096
HOME = "/run/fake-gce"
PRIVATE = {"/root": 0o700, "/home": 0o755, "/tmp": 0o1777, "/var/tmp": 0o1777, "/srv": 0o755, "/mnt": 0o755}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHUTDOWN = """#!/bin/sh
# Powers the fake machine off: the first process does it when it is told.
[ "$(id -u)" = 0 ] || { echo "$0: must be root" >&2; exit 1; }
pending=/run/fake-gce/pending
minutes=0
[ "${0##*/}" != shutdown ] || minutes=1
for word; do
    case $word in
    -c) [ ! -e $pending ] || kill "$(cat $pending)"; rm -f $pending; exit 0 ;;
    -h | -H | -P | -p | -f | --halt | --poweroff | --force | --no-wall) ;;
    now) minutes=0 ;;
    +[0-9]*) minutes=${word#+} ;;
    -* | *:*) echo "$0: not known to this fake: $word" >&2; exit 1 ;;
    *) break ;;
    esac
done
[ "$minutes" -gt 0 ] || { kill -USR1 1; exit; }
(sleep $((minutes * 60)) && kill -USR1 1) </dev/null >/dev/null 2>&1 &
echo $! >$pending
"""
USERMOD = """#!/bin/sh
# Lets a user use the stand-in for docker, and does nothing else.
[ "$(id -u)" = 0 ] || { echo "usermod: Permission denied." >&2; exit 1; }
[ $# = 4 ] && [ "$1 $2 $3" = "-a -G docker" ] || { echo "usermod: not known to this fake: $*" >&2; exit 2; }
id "$4" >/dev/null 2>&1 || { echo "usermod: user '$4' does not exist" >&2; exit 6; }
echo "$4" >>/run/fake-gce/docker/group
"""
libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Mounts, or raises OSError."""
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"mount {target}")


def console(text: str) -> None:
    """Writes a line to the serial console."""
    print(f"[{time.monotonic() - STARTED:12.6f}] {text}", flush=True)


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Writes a file of that mode."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Guest:
    """The machine's inside."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.environment = {"PATH": PATH, "GCE_METADATA_HOST": plan["metadataHost"]}
        self.is_stopping = False

    # Its files

    def set_up(self) -> None:
        """Gives it a name and files of its own."""
        socket.sethostname(self.plan["name"])
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755,size=64m")
        os.mkdir("/run/sshd")
        os.mkdir(HOME, 0o711)
        os.mkdir(HOME + "/disk", 0o755)
        mount(self.plan["folder"], HOME + "/disk", "none", MS_BIND)
        self.make_users()
        for target, mode in PRIVATE.items():
            source = f"{HOME}/disk/root{target}"
            os.makedirs(source, exist_ok=True)
            os.chmod(source, mode)
            mount(source, target, "none", MS_BIND)
        mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777")
        self.make_homes()
        self.make_programs()

    def make_users(self) -> None:
        """Lets the users be known whose keys the metadata has, as the guest agent does."""
        known = {line.split(":")[0]: line for line in open("/etc/passwd", encoding="utf-8")}
        extra = {"passwd": "", "group": "", "shadow": ""}
        self.users = []
        for number, (name, keys) in enumerate(sorted(self.plan["users"].items())):
            uid = gid = 60100 + number
            home = f"/home/{name}"
            if name in known:
                fields = known[name].split(":")
                uid, gid, home = int(fields[2]), int(fields[3]), fields[5]
            else:
                extra["passwd"] += f"{name}:x:{uid}:{gid}::{home}:/bin/bash\n"
                extra["group"] += f"{name}:x:{gid}:\n"
                extra["shadow"] += f"{name}:*:19000:0:99999:7:::\n"
            self.users.append((name, uid, gid, home, keys))
        os.mkdir(HOME + "/etc", 0o755)
        for name, text in extra.items():
            self.replace(
                f"/etc/{name}",
                open(f"/etc/{name}", encoding="utf-8").read() + text,
                0o600 if name == "shadow" else 0o644,
            )
        name, domain, address = self.plan["name"], self.plan["domain"], self.plan["internal"]
        self.replace("/etc/hostname", name + "\n")
        self.replace(
            "/etc/hosts",
            f"127.0.0.1 localhost\n{address} {name}.{domain} {name}\n{address} metadata.google.internal metadata\n",
        )

    def replace(self, path: str, text: str, mode: int = 0o644) -> None:
        """Puts another file in the place of one in /etc."""
        own = HOME + path
        write(own, text, mode)
        if os.path.exists(path):
            mount(own, path, "none", MS_BIND)

    def make_homes(self) -> None:
        """Gives each user a home with the keys."""
        for _, uid, gid, home, keys in self.users:
            os.makedirs(home + "/.ssh", 0o700, exist_ok=True)
            self.write_keys(uid, gid, home, keys)
            for path in (home, home + "/.ssh"):
                os.chown(path, uid, gid)

    @staticmethod
    def write_keys(uid: int, gid: int, home: str, keys: list[str]) -> None:
        """Lets those log in who have one of the keys."""
        path = home + "/.ssh/authorized_keys"
        write(path + ".new", "# Added by Google\n" + "".join(key + "\n" for key in keys), 0o600)
        os.chown(path + ".new", uid, gid)
        os.rename(path + ".new", path)

    def change_keys(self, users: dict[str, list[str]]) -> None:
        """The metadata have other keys: who has none there any more can't log in."""
        for name, uid, gid, home, _ in self.users:
            self.write_keys(uid, gid, home, users.get(name, []))

    def make_programs(self) -> None:
        """Puts programs that power the machine off in the place of the system's, and docker if the image has it."""
        programs = dict.fromkeys(("shutdown", "poweroff", "halt"), SHUTDOWN)
        stand_in = self.plan["docker"]
        if stand_in:
            programs["usermod"] = USERMOD
            os.mkdir(HOME + "/docker", 0o777)
            os.chmod(HOME + "/docker", 0o777)
            for name in ("group", "images", "log"):
                write(f"{HOME}/docker/{name}", "", 0o666)
        self.overlay("/usr/sbin", programs)
        if stand_in or os.path.exists("/usr/bin/docker"):
            self.overlay("/usr/bin", {"docker": stand_in})
        if os.path.exists("/usr/local/bin/docker"):
            self.overlay("/usr/local/bin", {"docker": None})

    @staticmethod
    def overlay(folder: str, programs: dict[str, str | None]) -> None:
        """Puts programs in a folder of the system's; None takes one away."""
        upper, work = (f"{HOME}/{kind}{folder.replace('/', '-')}" for kind in ("upper", "work"))
        for path in (upper, work):
            os.mkdir(path, 0o755)
        for name, text in programs.items():
            if text:
                write(f"{upper}/{name}", text, 0o755)
            else:
                os.mknod(f"{upper}/{name}", stat.S_IFCHR, os.makedev(0, 0))
        mount("overlay", folder, "overlay", 0, f"lowerdir={folder},upperdir={upper},workdir={work}")

    # What runs in it

    def start(self) -> None:
        """Starts sshd, and the startup script."""
        self.sshd = None
        if self.plan["hasSSH"]:
            log = open(f"{HOME}/disk/sshd.log", "a", encoding="utf-8")
            self.sshd = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", f"{HOME}/disk/sshd_config"],
                stderr=log,
                stdout=log,
                stdin=subprocess.DEVNULL,
                env={"PATH": PATH},
                cwd="/",
            )
        self.run_script("startup-script")

    def run_script(self, name: str) -> None:
        """Starts one of the guest's scripts, if it has it."""
        self.script = None
        if not os.path.exists(f"{HOME}/disk/{name}"):
            return
        shutil.copy(f"{HOME}/disk/{name}", f"{HOME}/{name}")
        os.chmod(f"{HOME}/{name}", 0o755)
        text = (
            'echo "$1: starting"; { if head -c 2 "$0" | grep -q "^#!"; then "$0"; else /bin/bash "$0"; fi 2>&1; '
            'echo "exit status $?"; } | while IFS= read -r line; do echo "$1: $line"; done'
        )
        self.script = subprocess.Popen(
            ["/bin/sh", "-c", text, f"{HOME}/{name}", name],
            stdin=subprocess.DEVNULL,
            env=self.environment,
            cwd="/",
            start_new_session=True,
        )

    def shut_down(self) -> None:
        """The guest's own way to power off: its script, then all processes are asked to end."""
        if self.is_stopping:
            return
        self.is_stopping = True
        console("systemd-shutdown: Powering off.")
        self.run_script("shutdown-script")
        if self.script:
            self.script.wait()
        self.send_all(signal.SIGTERM)
        limit = time.monotonic() + 1
        while time.monotonic() < limit and self.reap():
            time.sleep(0.005)
        console("reboot: Power down")
        os._exit(0)

    @staticmethod
    def send_all(number: int) -> None:
        """A signal to all other processes of the machine."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, number)

    @staticmethod
    def reap() -> bool:
        """Reaps whatever ended. Says whether any process is left."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return False
        return True

    def obey(self, order: str) -> None:
        """Does what Google's side wants."""
        if order == "notice":
            console("ACPI: preemption notice")
            self.run_script("shutdown-script")
        elif order == "off":
            self.shut_down()
        elif order == "freeze":
            self.send_all(signal.SIGSTOP)
        elif order == "thaw":
            self.send_all(signal.SIGCONT)
        elif order.startswith("keys "):
            self.change_keys(json.loads(order.removeprefix("keys ")))

    def run(self) -> None:
        """Lives until it is powered off. Without anybody at the other end of its input it ends at once."""
        read, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGUSR1, lambda *_: self.shut_down())
        self.start()
        pending = b""
        while True:
            ready = select.select([0, read], [], [])[0]
            if read in ready:
                os.read(read, 4096)
                self.reap()
            if 0 in ready:
                data = os.read(0, 4096)
                if not data:
                    os._exit(1)
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self.obey(line.decode())


STARTED = time.monotonic()


def main() -> None:
    """Boots."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(1)
        line += byte
    plan = json.loads(line)
    guest = Guest(plan)
    console("Linux version 6.1.0 (fake)")
    guest.set_up()
    console(f"Debian GNU/Linux 12 {plan['name']} ttyS0")
    guest.run()


main()
