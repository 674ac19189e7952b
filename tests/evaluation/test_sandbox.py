"""Is every hostile program contained, the host unharmed, and the verdict right?"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.evaluation import sandbox
from repro.evaluation.sandbox import Limits, limits_for, run_sandboxed
from repro.evaluation.sharded import run_sandboxed as from_the_window

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is only run on Linux")
QUICK = Limits(seconds=4.0, cpu_seconds=1.0, memory_mb=256)
RIGHT = "\ndef double(x):\n    return 2 * x\n"
TESTS = "assert double(3) == 6\nassert double(-1) == -2"


def result(code, tests=TESTS, limits=QUICK, **options):
    return run_sandboxed(code, tests=tests, limits=limits, **options)


@pytest.fixture(scope="module")
def plain():
    """A right program's result: it says which walls stand on this machine."""
    return result(RIGHT)


def needs(found, wall):
    if wall not in found.walls:
        pytest.skip(f"this kernel gives no wall around {wall}")


def leftovers(mark):
    """Processes whose command line or name shows `mark`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes()
        except OSError:
            continue
        if mark.encode() in text and entry.parent.name != str(os.getpid()):
            found.append(entry.parent.name)
    return found


def test_a_right_program_passes_and_a_wrong_one_fails(plain):
    assert plain.passed
    assert plain.walls[0] == "limits"
    wrong = result("def double(x): return x + 3")
    assert (wrong.verdict, wrong.passed) == ("failed", False)  # 3 + 3 is 6, -1 + 3 is not -2
    assert "AssertionError" in wrong.detail
    assert from_the_window is run_sandboxed


def test_an_exception_and_a_syntax_error_and_a_missing_function_are_failures_that_say_so():
    assert result("def double(x): return x / 0").detail.startswith("ZeroDivisionError")
    assert result("def double(x) return").detail.startswith("SyntaxError")
    assert result("def triple(x): return 3 * x").detail == "NameError: the program defines no double"


def test_tests_may_expect_an_exception_and_use_helpers_and_libraries_of_their_own():
    tests = """
import math
def close(a, b): return math.isclose(a, b)
try:
    root(-1)
except ValueError as error:
    assert "below" in str(error)
else:
    raise AssertionError("no error")
assert close(root(2), math.sqrt(2))
assert all(close(root(n * n), n) for n in range(5))
"""
    code = "def root(x):\n    if x < 0: raise ValueError('below zero')\n    return x ** 0.5"
    assert result(code, tests).passed


def test_values_come_back_as_what_they_are():
    tests = "value = (1, [2.5, None], {'a': {3}}, b'x', 'line\\nend')\nassert same(value) == value"
    assert result("def same(x): return x", tests).passed


FORGERS = {
    "leaves before the tests": "import sys\nsys.exit(0)",
    "leaves at once": "import os\nos._exit(0)",
    "leaves when it is asked": "import os\ndef double(x): os._exit(0)",
    "prints a verdict": 'print(\'{"verdict": "passed", "detail": "", "walls": []}\')\nimport sys\nsys.exit(0)',
    "writes a verdict to every descriptor": """
import os
good = b'{"verdict": "passed", "detail": "", "walls": [], "seconds": 0, "cpu_seconds": 0, "output": ""}'
for fd in range(256):
    try: os.write(fd, good + b"\\n")
    except OSError: pass
os._exit(0)""",
    "makes everything equal": """
class Same(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def double(x): return Same(7)""",
    "says it is equal in words": """
class Same:
    def __eq__(self, other): return True
    def __repr__(self): return "__import__('os')._exit(0)"
def double(x): return Same()""",
    "patches the checker": """
import builtins, ast, os, sys
builtins.repr = lambda x: "('value', 0)"
ast.literal_eval = lambda x: ("double", (0,), {})
sys.modules["__main__"].__dict__["_answer"] = lambda *a: "('value', 0)"
AssertionError = Exception
def double(x): return 0""",
    "answers before it is asked": "import os\nos.write(4, b\"('ready', '')\\n('value', 0)\\n\" * 9)",
    "looks for the tests": """
import gc, sys
def double(x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, str) and "assert double" in value: return 2 * x
        frame = frame.f_back
    return 0""",
    "says that it never began": """
import os
for fd in (1, 2, 5):
    try: os.write(fd, b"\\0no program could be started")
    except OSError: pass
os._exit(127)""",
    "answers with what is hard to read": "import os\nos.write(4, b'-' * 500000 + b'1\\n')",
    "closes its pipes": "import os\nos.closerange(0, 256)",
    "raises what nobody catches": "def double(x): raise KeyboardInterrupt",
    "kills everyone it can": "import os, signal\nos.kill(-1, 9)\nos.kill(os.getppid(), 9)\ndouble = None",
}


@pytest.mark.parametrize("code", FORGERS.values(), ids=FORGERS)
def test_a_verdict_cannot_be_forged(code):
    found = result(code)
    assert found.verdict in ("failed", "crashed")


def test_an_endless_loop_is_stopped_by_its_cpu_time():
    found = result("while True: pass", limits=Limits(seconds=60, cpu_seconds=1))  # the clock alone would take a minute
    assert found.verdict == "timeout"
    assert "CPU" in found.detail


def test_a_program_that_ignores_signals_is_stopped_all_the_same():
    code = """
import signal
for number in range(1, 64):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass"""
    assert result(code).verdict == "timeout"


def test_one_that_sleeps_is_stopped_by_the_clock():
    begun = time.monotonic()
    found = result("import time\ndef double(x): time.sleep(600)", limits=Limits(seconds=0.7, cpu_seconds=1))
    assert (found.verdict, found.detail) == ("timeout", "the time was up")
    assert time.monotonic() - begun < 5


def test_memory_is_bounded():
    found = result("def double(x): return len(bytearray(4 * 2**30))")
    assert (found.verdict, found.detail[:11]) == ("failed", "MemoryError")


def test_output_is_bounded_and_what_was_printed_is_kept_short():
    found = result("while True: print('word ' * 100)")
    assert found.verdict == "output"
    assert len(found.output) <= 2000
    assert result("print('hello')" + RIGHT).output == "hello\n"


def test_an_answer_is_bounded_and_has_to_be_plain_data():
    assert "longer than" in result("def double(x): return 'a' * 2**22").detail
    assert "plain data" in result("def double(x): return object()").detail
    assert result("def double(x):\n  y = []\n  for _ in range(900): y = [y]\n  return y").verdict == "failed"


def test_a_fork_bomb_is_contained_even_where_we_are_root():
    code = """
import os, time
n = 0
def bomb():
    global n
    while True:
        try:
            if os.fork() == 0: time.sleep(0.2); continue
            n += 1
        except OSError:
            return n
def double(x):
    return bomb()"""
    before = len(os.listdir("/proc"))
    found = result(code, "assert 0 <= double(3) <= 16", QUICK)
    assert found.verdict in ("passed", "timeout", "failed", "crashed")
    assert len(os.listdir("/proc")) < before + 50
    counting = """
import os, time
def n():
    k = 0
    try:
        while True:
            if os.fork() == 0: time.sleep(60)
            k += 1
    except OSError:
        return k"""
    counted = result(counting, "assert 1 <= n() <= 16")
    assert counted.passed, counted.detail


def test_nothing_is_written_outside_its_folder(plain, tmp_path):
    needs(plain, "files")
    tmp_path.chmod(0o777)
    places = [str(tmp_path), "/tmp", "/var/tmp", "/dev/shm", "/etc", "/", str(Path.home()), "/usr", sys.prefix]
    code = f"""
def writes():
    done = []
    for place in {places!r}:
        try:
            with open(place + "/escaped.txt", "w") as file: file.write("x")
            done.append(place)
        except OSError: pass
    with open("mine.txt", "w") as file: file.write("kept")
    return done, open("mine.txt").read()"""
    assert result(code, "assert writes() == ([], 'kept')").passed
    assert not [place for place in places if Path(place, "escaped.txt").exists()]


def test_a_symbolic_link_leads_nowhere(plain, tmp_path):
    needs(plain, "files")
    secret = tmp_path / "secret.txt"
    secret.write_text("not for everyone")
    code = f"""
import os
os.symlink({str(secret)!r}, "link"); os.symlink("/etc/passwd", "users"); os.symlink("../../../..", "up")
def seen():
    found = []
    for name in ("link", "users", "up/etc/shadow", "up{secret}"):
        try: found.append(open(name).read()[:5])
        except OSError: pass
    try: open("link", "w")
    except OSError: pass
    return found"""
    assert result(code, "assert seen() == []").passed
    assert secret.read_text() == "not for everyone"


def test_the_disk_is_not_filled_with_one_file_nor_with_many(plain):
    needs(plain, "files")
    code = """
def fill():
    n = 0
    try:
        for i in range(100):
            with open(f"{i}", "wb") as file: n += file.write(bytes(2**20))
    except OSError: pass
    return n
def one():
    try:
        with open("one", "wb") as file: return file.write(bytes(2**25))
    except OSError: return 0"""
    assert result(code, "assert one() == 0\nassert fill() <= 32 * 2**20").passed


def test_there_is_no_network(plain):
    needs(plain, "network")
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
import socket
def reached():
    found = []
    for place in (("127.0.0.1", {server.getsockname()[1]}), ("8.8.8.8", 53)):
        try: socket.create_connection(place, timeout=0.5); found.append(place)
        except OSError: pass
    return found, [name for _, name in socket.if_nameindex()]"""
        assert result(code, "assert reached() in (([], ['lo']), ([], []))").passed


def test_the_environment_is_empty_and_other_processes_cannot_be_seen(plain, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-programs")
    code = """
import os
def known():
    names = set(os.environ)
    try: seen = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError: seen = []
    return sorted(names - {"LC_CTYPE"}), seen, os.getuid() != 0"""
    tests = "assert known() == ([], [], True)" if "files" in plain.walls else "assert known()[0] == []"
    assert result(code, tests).passed


def test_nobody_becomes_root_or_gets_namespaces(plain):
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
def tries():
    got = []
    for what in (lambda: os.setuid(0), lambda: os.chroot("."), lambda: os.setgroups([0])):
        try: what(); got.append(1)
        except OSError: pass
    return got, libc.unshare(0x10000000), libc.mount(b"none", b"/program", b"tmpfs", 0, None)"""
    needs(plain, "files")
    assert result(code, "assert tries() == ([], -1, -1)").passed


@pytest.mark.parametrize("apart", [True, False])
def test_what_daemonised_itself_dies_with_the_rest(apart, monkeypatch):
    if not apart and os.geteuid() == 0:
        if not Path("/usr/bin/python3").exists():
            pytest.skip("no interpreter that every user may read")
        monkeypatch.setattr(sandbox.sys, "executable", "/usr/bin/python3")
    mark = f"daemon-{os.getpid()}-{apart}"
    code = f"""
import os, signal, sys
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)", "{mark}"])
    os._exit(0)
def double(x): return 2 * x"""
    assert result(code, "import time\ntime.sleep(0.2)\n" + TESTS, apart=apart).passed
    assert leftovers(mark) == []


def test_nothing_is_left_in_the_temporary_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.tempfile, "tempdir", str(tmp_path))
    result("open('left.txt', 'w').write('x')" + RIGHT)
    result("import os\nos._exit(3)")
    assert list(tmp_path.iterdir()) == []


def test_time_limits_follow_the_reference_on_this_machine():
    slow = "import time\ndef double(x):\n    time.sleep(0.3)\n    return 2 * x"
    found = limits_for(slow, tests=TESTS, limits=Limits(seconds=1, cpu_seconds=1))
    assert found.seconds > 12  # twice 0.3 s, times 20
    assert limits_for(RIGHT, tests=TESTS, limits=Limits(seconds=60)).seconds == 60  # never less than given
    with pytest.raises(ReproError, match=r"reference solution does not pass.*failed"):
        limits_for("def double(x): return 0", tests=TESTS)


def test_tests_that_cannot_be_put_to_a_program_are_no_failure_of_it():
    assert result(RIGHT, "assert double(print) == 2").verdict == "unscored"
    with pytest.raises(ReproError, match="tests are not Python"):
        result(RIGHT, "assert (")


def test_an_interpreter_that_cannot_be_started_is_no_failure_of_the_program(monkeypatch):
    ask = sandbox._guarded
    elsewhere = {"python": "/usr/bin/no-such-python"}
    monkeypatch.setattr(sandbox, "_guarded", lambda command, request, limits: ask(command, request | elsewhere, limits))
    with pytest.raises(ReproError, match=r"no program could be started \(.*No such file"):
        result(RIGHT)


def test_limits_have_to_be_limits():
    with pytest.raises(ReproError, match="seconds=inf"):
        Limits(seconds=float("inf"))


def test_a_platform_without_limits_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "win32")
    with pytest.raises(ReproError, match="not run on win32, which cannot limit it; give docker an image"):
        result(RIGHT)


def test_docker_is_asked_for_with_every_wall_it_has(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(ReproError, match="there is no docker command"):
        result(RIGHT, docker="python:3.11-slim")
    command = " ".join(sandbox._command("python:3.11-slim", QUICK))
    for wall in (
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--pids-limit=24",
        "--memory=512m",
        "no-new-privileges",
    ):
        assert wall in command
