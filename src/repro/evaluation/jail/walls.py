"""What stands between a stranger's program and this machine?

Namespaces of its own, as far as the kernel allows, in which there is no network and no other process; a root folder in
memory that holds the interpreter, read-only, and an empty place to write; a user who owns nothing; limits on memory,
time, files and processes. Linux only. `unshare`, `mount` and `prctl` are called through the C library, because Python
has no names for them before 3.12.
"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import struct
import sys
from typing import Any

NEW_USER, NEW_PID, NEW_NET, NEW_MOUNT, NEW_IPC, NEW_UTS = (1 << n for n in (28, 29, 30, 17, 27, 26))
BIND, RECURSIVE, PRIVATE, NO_SUID, NO_DEVICES = 0x1000, 0x4000, 0x40000, 2, 4
SET_DUMPABLE, SET_SUBREAPER, SET_NO_NEW_PRIVILEGES, SET_DEATH_SIGNAL = 4, 36, 38, 1
MOUNT_SETATTR, HERE, AT_RECURSIVE = 442, -100, 0x8000  # the same number on every architecture; since Linux 5.12
RUNTIME = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/nix/store", sys.base_prefix)  # what an interpreter may need
DEVICES = ("/dev/null", "/dev/urandom")
NOBODY = 65534
OWN_USERS = 2_000_000_000  # beyond the ids that systems hand out: each run is a user alone, so that processes count

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: Any) -> None:
    plain = [ctypes.c_char_p(a.encode()) if isinstance(a, str) else a for a in args]
    if getattr(_libc, name)(*plain) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def prctl(option: int, value: int) -> None:
    _call("prctl", option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)


def separate() -> bool:
    """Enter namespaces of one's own; children are born into them. False where the kernel does not allow it."""
    spaces = NEW_PID | NEW_NET | NEW_MOUNT | NEW_IPC | NEW_UTS
    uid, gid = os.geteuid(), os.getegid()
    try:
        _call("unshare", spaces if uid == 0 else spaces | NEW_USER)
        if uid:
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{NOBODY} {uid} 1"),
                ("gid_map", f"{NOBODY} {gid} 1"),
            ):
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
    except OSError:
        return False
    return True


def enclose(folder: str, n_bytes: int) -> bool:
    """Make `folder` the root of all there is: a file system in memory of `n_bytes`, with the interpreter read-only.

    The working directory is then an empty folder that anybody may write to. False where that cannot be done. A program
    under a changed root cannot make namespaces of its own either: the kernel refuses.
    """
    try:
        _call("mount", "none", "/", None, RECURSIVE | PRIVATE, None)
        _call("mount", "none", folder, "tmpfs", NO_SUID, f"size={n_bytes},nr_inodes=4096,mode=0755")
        for path in RUNTIME:
            _show(folder, path)
        for path in DEVICES:
            os.makedirs(f"{folder}/dev", exist_ok=True)
            open(folder + path, "x").close()
            _call("mount", path, folder + path, None, BIND, None)
        os.mkdir(f"{folder}/program")
        os.chmod(f"{folder}/program", 0o777)
        os.chroot(folder)
        os.chdir("/program")
    except OSError:
        return False
    return True


def _show(folder: str, path: str) -> None:
    """Let `path` be seen under the new root, read-only, unless a folder above it is."""
    inside = folder + path
    if not os.path.lexists(path) or os.path.lexists(inside):
        return
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    if stat.S_ISLNK(os.lstat(path).st_mode):
        os.symlink(os.readlink(path), inside)
        return
    os.mkdir(inside)
    _call("mount", path, inside, None, BIND | RECURSIVE, None)
    read_only = struct.pack("=4Q", 1 | NO_SUID | NO_DEVICES, 0, 0, 0)  # attr_set, attr_clr, propagation, userns_fd
    _call("syscall", MOUNT_SETATTR, HERE, inside, AT_RECURSIVE, read_only, ctypes.c_size_t(len(read_only)))


def become_nobody(number: int) -> None:
    """Be a user who owns nothing, where one is root: limits on processes do not bind root. For good."""
    if os.geteuid() == 0:
        os.setgroups([])
        for uid in (OWN_USERS + number, NOBODY):
            try:
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                break
            except OSError:  # a container that knows few users
                continue
        if os.geteuid() == 0:
            raise OSError("a program may not run as root")
    prctl(SET_NO_NEW_PRIVILEGES, 1)


def limit(limits: dict[str, Any]) -> None:
    """Bound this process and its children: bytes of memory and of a file, CPU seconds, processes, open files."""
    megabytes = 2**20
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_mb"] * megabytes),
        (resource.RLIMIT_FSIZE, limits["file_mb"] * megabytes),
        (resource.RLIMIT_NPROC, limits["n_processes"]),
        (resource.RLIMIT_NOFILE, limits["n_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    seconds = int(-(-limits["cpu_seconds"] // 1))  # rounded up
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # asked to stop, then made to
