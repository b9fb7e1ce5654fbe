"""Keeps what the fake starts from outliving it, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1


def enter() -> None:
    """Goes on in a process namespace of its own, whose processes the kernel kills with its first one: this.

    The process that was started stays behind, waits for it, and passes on signals and its exit status.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() or libc.unshare(CLONE_NEWNS | CLONE_NEWPID):
        raise SystemExit("fake-gce: must be root, and may make namespaces of processes and mounts")
    libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    alive, parent = os.pipe()
    child = os.fork()
    if child:
        os.close(alive)
        _stay_behind(child)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.close(parent)
    _check_parent(alive)
    libc.mount(b"proc", b"/proc", b"proc", 0, None)


def _check_parent(alive: int) -> None:
    """The parent may have ended before its death would be a signal."""
    os.set_blocking(alive, False)
    try:
        if os.read(alive, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        pass


def _stay_behind(child: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: os.kill(child, received))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)
