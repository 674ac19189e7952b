"""Did a stranger's program do what the tests ask?

The guard is the process between us and the program. It reads what to run from its standard input, walls the program in,
and runs the tests itself: a name that the tests use and do not define is a function of the program's, and calling it
asks the program for an answer. Tests, expected values and the verdict never enter the program's process, so nothing
that it prints, patches or exits with can pass a test: only right answers do. At the end everything it started is
killed, and the verdict written to the guard's standard output.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from . import walls

REFUSED = 5  # the descriptor on which a program that cannot be started says why; closed once it is
MAX_ANSWER = 2**20  # bytes of one answer
GRACE = 1.0  # seconds between the program's deadline and a second reminder


class Over(BaseException):
    """The program is done for: why, and what is known. No test can catch it by mistake."""

    def __init__(self, verdict: str, detail: str) -> None:
        super().__init__(verdict, detail)


class Inmate:
    """The program behind its walls: it can be asked, and it can be killed."""

    def __init__(self, request: dict[str, Any], worker: str) -> None:
        self.limits: dict[str, Any] = request["limits"]
        self.output, self.heard, self.prints = b"", b"", True
        calls, self.calls = _pipe()
        self.answers, answers = _pipe()
        self.printed, printed = _pipe()
        self.walls = ["limits"]
        apart = bool(request["apart"]) and walls.separate()
        walls.prctl(walls.SET_DUMPABLE, 0)  # a program of the same user may not look into the guard
        self.told, told = _pipe()  # which walls stand, and why the program could not be started: not the program's word
        self.pid = os.fork()
        if self.pid == 0:
            for end in (self.calls, self.answers, self.printed, self.told):
                os.close(end)
            _first_process(request, worker, apart, told, [calls, answers, printed])
        for end in (calls, answers, printed, told):
            os.close(end)
        with os.fdopen(self.told, "rb") as file:
            stand, _, self.refused = file.read().decode(errors="replace").partition("\0")
        self.walls += stand.split()

    def ask(self, line: str) -> Any:
        """One line to the program and one from it. Not plain data, too long, or none at all: it is over."""
        try:
            os.write(self.calls, line.encode("utf-8", "surrogatepass") + b"\n")
        except BrokenPipeError:
            self._ended()
        while b"\n" not in self.heard:
            ready, _, _ = select.select([self.answers, *([self.printed] if self.prints else [])], [], [])
            if self.printed in ready:
                self._listen()
            if self.answers in ready:
                part = os.read(self.answers, 65536)
                if not part:
                    self._ended()
                self.heard += part
                if len(self.heard) > MAX_ANSWER:
                    raise Over("failed", f"an answer is longer than {MAX_ANSWER} bytes")
        said, _, self.heard = self.heard.partition(b"\n")
        try:
            return ast.literal_eval(said.decode("utf-8", "surrogatepass"))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise Over("failed", f"an answer is not plain data: {said[:80]!r}") from None

    def _listen(self) -> bool:
        """What it printed since; False once it cannot print any more."""
        part = os.read(self.printed, 65536)
        self.output += part
        self.prints = bool(part)
        if len(self.output) > self.limits["output_kb"] * 1024:
            raise Over("output", f"printed more than {self.limits['output_kb']} KB")
        return self.prints

    def _ended(self) -> None:
        """It closed its end: how did it die?"""
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.pid = 0
        killed = code == 128 + signal.SIGKILL and cpu_seconds() > 0.9 * self.limits["cpu_seconds"]
        if code == 128 + signal.SIGXCPU or killed:
            raise Over("timeout", f"used more than {self.limits['cpu_seconds']:g} s of CPU")
        raise Over("crashed", f"ended with {code} before it had answered")

    def settle(self, seconds: float = 0.2) -> None:
        """Nothing more to ask: let it end by itself, so that what it used can be counted, but do not wait long."""
        os.close(self.calls)
        deadline = time.monotonic() + seconds
        while self.pid and time.monotonic() < deadline:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.pid = 0
            time.sleep(0.002)
        while self.printed in select.select([self.printed], [], [], 0)[0]:
            if not self._listen():
                break

    def kill(self) -> None:
        """Everything that it started, however far it has wandered: with the first process its namespace ends."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        while True:
            for pid in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.002)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above the descriptors that the program is given."""
    import fcntl

    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]


def _children() -> list[int]:
    """Processes whose parent is this one: orphans come to it."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(name))
    return found


def _first_process(request: dict[str, Any], worker: str, apart: bool, told: int, ends: list[int]) -> None:
    """Behind the walls: starts the program, buries its orphans, ends when it ends. Never returns."""
    code = 1
    try:
        walls.prctl(walls.SET_DEATH_SIGNAL, signal.SIGKILL)
        enclosed = apart and walls.enclose(request["folder"], request["limits"]["disk_mb"] * 2**20)
        os.write(told, b"processes network files" if enclosed else b"processes network" if apart else b"")
        program = os.fork()
        if program == 0:
            _program(request, worker, [*ends, told], enclosed)
        for end in (*ends, told):
            os.close(end)
        pid, status = os.wait()
        while pid != program:
            pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
    finally:
        os._exit(code if code >= 0 else 128 - code)


def _program(request: dict[str, Any], worker: str, ends: list[int], enclosed: bool) -> None:
    """Become the program: its descriptors, its user, its limits, an empty environment. Never returns."""
    try:
        calls, answers, printed, told = ends
        nothing = os.open("/dev/null", os.O_RDONLY)
        for end, place in ((nothing, 0), (printed, 1), (printed, 2), (calls, 3), (answers, 4)):
            os.dup2(end, place)
        os.dup2(told, REFUSED, inheritable=False)
        os.closerange(REFUSED + 1, 4096)
        os.setsid()
        if not enclosed:
            os.chdir(request["folder"])
        walls.become_nobody(request["number"])
        walls.limit(request["limits"])
        os.execve(request["python"], [request["python"], "-I", "-S", "-B", "-c", worker], {})
    except BaseException as error:
        os.write(REFUSED, f"\0{error}".encode())
    finally:
        os._exit(127)


def cpu_seconds() -> float:
    """What the program and all that it waited for have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def functions(tests: str, inmate: Inmate) -> dict[str, Callable[..., Any]]:
    """A stand-in for each name that `tests` reads, does not bind and Python does not know."""
    nodes = list(ast.walk(ast.parse(tests)))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    imports = [alias for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) for alias in n.names]
    bound |= {(alias.asname or alias.name).split(".")[0] for alias in imports}
    bound |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    return {name: _stand_in(name, inmate) for name in read - bound - set(dir(builtins)) - {"__name__"}}


def _stand_in(name: str, inmate: Inmate) -> Callable[..., Any]:
    def ask(*args: Any, **kwargs: Any) -> Any:
        call = repr((name, args, kwargs))
        try:
            ast.literal_eval(call)
        except (ValueError, SyntaxError):
            raise Over("unscored", f"a test calls {name} with more than plain data") from None
        return _value(inmate.ask(call))

    return ask


def _value(answer: Any) -> Any:
    """The answer's value. What the program raised is raised here: Python's own exceptions, others as RuntimeError."""
    match answer:
        case ("value", value):
            return value
        case ("raised", str(name), str(text)):
            kind = getattr(builtins, name, RuntimeError)
            known = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if known else RuntimeError)(text)
    raise Over("failed", "an answer is neither a value nor an exception")


def examine(request: dict[str, Any], inmate: Inmate) -> tuple[str, str]:
    """The verdict and what is behind it."""
    if inmate.refused:
        return "refused", inmate.refused
    try:
        match inmate.ask(repr(request["code"])):
            case ("ready", _):
                pass
            case answer:
                _value(answer)
        names = functions(request["tests"], inmate)
        exec(compile(request["tests"], "tests.py", "exec"), {"__name__": "tests", **names})
    except Over as over:
        return over.args[0], over.args[1]
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"[:300]
    return "passed", ""


def _late(*_: object) -> None:
    raise Over("timeout", "the time was up")


def main(worker: str) -> None:
    """Read a request, examine, kill, report."""
    request = json.loads(sys.stdin.buffer.read())
    limits = request["limits"]
    walls.prctl(walls.SET_SUBREAPER, 1)
    signal.signal(signal.SIGALRM, _late)
    begun = time.monotonic()
    inmate = Inmate(request, worker)
    try:
        signal.setitimer(signal.ITIMER_REAL, limits["seconds"], GRACE)
        verdict, detail = examine(request, inmate)
        inmate.settle()
    except Over as over:
        verdict, detail = over.args
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        inmate.kill()
    found = {"verdict": verdict, "detail": detail, "walls": inmate.walls, "seconds": time.monotonic() - begun}
    found |= {"cpu_seconds": cpu_seconds(), "output": inmate.output[:2000].decode(errors="replace")}
    sys.stdout.write(json.dumps(found))
