"""Which process holds a lease, and whether it still lives.

A lease names its owner as `machine/pid/start/token`. On the same machine (the same boot and the same process
namespace) a process that has ended, or whose number belongs to a newer process, is recognised as dead at once. Leases
of other machines run out.
"""

import os
import secrets
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def new_owner() -> str:
    """Return a new, unique name for a holder of leases in this process."""
    pid = os.getpid()
    return f"{_machine()}/{pid}/{_start_of(pid)}/{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Return whether the process of `owner` is known to have ended."""
    machine, pid, start, _ = owner.rsplit("/", 3)
    if machine != _machine():
        return False
    return not _lives(int(pid)) or _start_of(int(pid)) != start


def _machine() -> str:
    """The boot of this machine, and the namespace of process numbers."""
    try:
        return f"{_BOOT.read_text().strip()}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()  # no /proc (macOS)


def _start_of(pid: int) -> str:
    """When process `pid` started, in ticks since boot; "" where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
