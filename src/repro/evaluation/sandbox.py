"""Does a stranger's program pass the tests, and is this machine the same afterwards?

`run_sandboxed` starts a guard (`jail.guard`), which starts the program in a fresh interpreter behind walls
(`jail.walls`): no network, no other processes, a root folder of its own in memory, a user who owns nothing, limits on
everything, and at the end all that it started is killed. The tests run in the guard, not with the program, so that a
verdict cannot be forged from within.

A guard against accidents and against what a language model writes, not against an attacker who knows a hole in the
kernel: docs/sharded.md says what it does not protect against.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

from ..errors import ReproError

Verdict = Literal["passed", "failed", "timeout", "output", "crashed", "unscored"]

JAIL = Path(__file__).parent / "jail"
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from jail.guard import main; main(open(sys.argv[2]).read())"
GRACE = 10.0  # seconds a guard may take beyond its program's time: to build walls, and to kill
SLOWER = 20.0  # ours: how many times the reference's time a program may take


@dataclass(frozen=True)
class Limits:
    """What a program may use. Seconds are scaled to the machine by `limits_for`."""

    seconds: float = 10.0  # by the clock, the interpreter's start included
    cpu_seconds: float = 5.0
    memory_mb: int = 512  # of address space, each process
    disk_mb: int = 32  # all files together; the interpreter is not counted
    file_mb: int = 8  # one file
    output_kb: int = 256
    n_processes: int = 16
    n_files: int = 64

    def __post_init__(self) -> None:
        if bad := [name for name, value in asdict(self).items() if not 0 < value < math.inf]:
            raise ReproError(f"limits have to be positive and finite; got {bad[0]}={getattr(self, bad[0])}")


@dataclass(frozen=True)
class SandboxResult:
    """What came of a program. `walls` says what stood around it: limits always, the others where the kernel allows."""

    verdict: Verdict
    detail: str = ""  # the exception, or how it ended
    output: str = ""  # the first 2,000 characters that it printed
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    walls: tuple[str, ...] = ()  # of "limits", "processes", "network", "files", "docker"

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"


def run_sandboxed(
    code: str, *, tests: str, limits: Limits | None = None, docker: str | None = None, apart: bool = True
) -> SandboxResult:
    """Run `code` and put its functions to `tests`, statements that raise where something is wrong.

    A name that the tests use and do not define is a function of the program; it is called with plain data (numbers,
    text, lists, tuples, dictionaries, sets) and has to answer with such. `docker` names an image with Python 3.11 or
    newer in which to do all this. `apart=False` does without namespaces. Tests that are not Python are an error.
    """
    limits = limits or Limits()
    _check_platform(docker)
    try:
        compile(tests, "tests.py", "exec")
    except SyntaxError as error:
        raise ReproError(f"the tests are not Python ({error}); mend them") from None
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        os.chmod(folder, 0o777)  # where there is no root folder of its own, the program writes here
        request: dict[str, Any] = {"code": code, "tests": tests, "limits": asdict(limits), "folder": folder}
        request |= {"python": os.path.realpath(sys.executable), "apart": apart, "number": _number()}
        if docker:
            request |= {"folder": "/tmp", "python": "/usr/local/bin/python3", "apart": False}
        return _result(_guarded(_command(docker, limits), request, limits), docker)


_runs = count()


def _number() -> int:
    """Another one for each run at a time: the user that a program is depends on it."""
    return os.getpid() % 10**6 * 100 + next(_runs) % 100


def _check_platform(docker: str | None) -> None:
    if docker and not shutil.which("docker"):
        raise ReproError(
            f"asked to run code in {docker}, but there is no docker command; install docker, or leave it out"
        )
    if not docker and sys.platform != "linux":
        raise ReproError(f"code of models is not run on {sys.platform}, which cannot limit it; give docker an image")


def _command(docker: str | None, limits: Limits) -> list[str]:
    isolated = ["-I", "-S", "-B", "-c", BOOT]
    if not docker:
        return [os.path.realpath(sys.executable), *isolated, str(JAIL.parent), str(JAIL / "worker.py")]
    memory = f"{2 * limits.memory_mb}m"
    walls = [
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--user=65534:65534",
    ]
    bounds = [f"--memory={memory}", f"--memory-swap={memory}", f"--pids-limit={limits.n_processes + 8}", "--cpus=1"]
    places = [f"--tmpfs=/tmp:size={limits.disk_mb}m,mode=1777", f"--volume={JAIL}:/jail/jail:ro"]
    run = ["docker", "run", "--rm", "--interactive", *walls, *bounds, *places, docker]
    return [*run, "python3", *isolated, "/jail", "/jail/jail/worker.py"]


def _guarded(command: list[str], request: dict[str, Any], limits: Limits) -> bytes:
    """What the guard reports. Its whole process group is killed if it takes too long, or if we are interrupted."""
    guard = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", start_new_session=True,
        env={"PATH": os.defpath} if command[0] == "docker" else {},
    )  # fmt: skip
    try:
        out, err = guard.communicate(json.dumps(request).encode(), timeout=limits.seconds + GRACE)
    except subprocess.TimeoutExpired:
        raise ReproError(f"the guard of a program did not answer within {limits.seconds + GRACE:.0f} s") from None
    finally:
        if guard.poll() is None:
            os.killpg(guard.pid, signal.SIGKILL)
            guard.wait()
    if guard.returncode or not out:
        last = (err.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise ReproError(f"no program could be run here: the guard ended with {guard.returncode} ({last})")
    return out


def _result(out: bytes, docker: str | None) -> SandboxResult:
    found = json.loads(out)
    stood = tuple(found.pop("walls"))
    if found["verdict"] == "refused":
        why = "as root, it must be readable by every user"
        raise ReproError(f"no program could be started ({found['detail']}); check the interpreter: {why}")
    return SandboxResult(walls=(*stood, "docker") if docker else stood, **found)


def limits_for(reference: str, *, tests: str, limits: Limits | None = None, docker: str | None = None) -> Limits:
    """`limits` with time that suits this machine: 20 times what the reference takes here, and never less than given.

    A slow or busy machine then gives everyone more time instead of failing them. A reference that fails is an error.
    """
    start = limits or Limits()
    patient = replace(start, seconds=12 * start.seconds, cpu_seconds=12 * start.cpu_seconds)
    begun = time.monotonic()
    found = run_sandboxed(reference, tests=tests, limits=patient, docker=docker)
    if not found.passed:
        raise ReproError(f"the reference solution does not pass its tests ({found.verdict}: {found.detail}); mend it")
    seconds = max(start.seconds, SLOWER * (time.monotonic() - begun))
    return replace(start, seconds=seconds, cpu_seconds=max(start.cpu_seconds, SLOWER * found.cpu_seconds))
