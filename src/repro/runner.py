"""What happens while a notebook runs?

papermill executes it with checked parameters, one process per notebook and profile. What fails is kept as
`results/<profile>/<notebook>.failed.ipynb`; what finishes is filed as `executed.ipynb` in its record, with what it was
made from, which tells whether it has to run again.
"""

from __future__ import annotations

import math
import os
import shutil
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT
from subprocess import PIPE, Popen
from typing import Any

from repro.config import flat, load_profile, repo_root, sources
from repro.errors import ReproError
from repro.models.hashes import digest
from repro.named import from_root
from repro.notebooks import Notebook, bind, expected_seconds, find, key_of, results_path, why_run
from repro.progress import clock, duration, say
from repro.reporting.record import attach
from repro.workers import shares, start


@dataclass(frozen=True)
class Asked:
    """What a person asked for. `params` have to be known; `offered` ones go to the notebooks that know them."""

    names: Sequence[str] = ()
    profile: str = "quick"
    params: Mapping[str, object] = field(default_factory=dict)
    offered: Mapping[str, object] = field(default_factory=dict)
    force: bool = False
    jobs: int = 1  # how many notebooks run side by side


@dataclass(frozen=True)
class Job:
    """One notebook with the parameters it will get."""

    notebook: Notebook
    params: Mapping[str, Any]
    force: bool
    root: Path

    @property
    def reason(self) -> str:
        """Why it has to run, as things stand now; "" if it does not."""
        return "asked to start over" if self.force else why_run(self.notebook, self.params, self.root)

    @property
    def expected(self) -> float | None:
        """Seconds."""
        return expected_seconds(self.notebook, self.params["profile"], self.root)

    @property
    def command(self) -> list[str]:
        """What runs it in a process of its own."""
        given = [text for key, value in self.params.items() if key != "profile" for text in ("-p", f"{key}={value}")]
        again = ["--force"] if self.force else []
        return ["run", self.notebook.name, "--profile", self.params["profile"], *given, *again]


def run_notebook(
    name: str,
    profile: str,
    params: Mapping[str, object] | None = None,
    *,
    force: bool = False,
    root: Path | None = None,
) -> bool:
    """Run one notebook unless its results are current; True if it ran. `force` also forgets work in progress."""
    return run_all(Asked([name], profile, params or {}, force=force), root=root) == 1


def run_all(asked: Asked, *, root: Path | None = None) -> int:
    """Run what is not current, in order; how many ran. Mistakes are found before the first one starts."""
    n_run, jobs = 0, jobs_for(asked, root or repo_root())
    free = shares(asked.jobs)
    if len(free) > 1 and len(jobs) > 1:
        return _side_by_side(jobs, free)
    for job in jobs:
        if reason := job.reason:
            with _alone(job):
                _run(job, reason)
            n_run += 1
        else:
            say(f"{job.notebook.name}: current, nothing to do")
    return n_run


def _side_by_side(jobs: Sequence[Job], free: Sequence[Sequence[int]]) -> int:
    """The same, the longest first, each in a process of its own on a share of the cores.

    What several need is made by one while the others wait. After a failure no other notebook starts.
    """
    waiting = deque(sorted(jobs, key=lambda job: -(job.expected or math.inf)))
    failed, running = list[str](), list[Popen[str]]()

    def work(on: Sequence[int]) -> int:
        n_run = 0
        while waiting and not failed:
            job = waiting.popleft()
            if not job.reason:
                say(f"{job.notebook.name}: current, nothing to do")
                continue
            running.append(process := start(job.command, on, cwd=job.root, stderr=PIPE, text=True))
            for line in process.stderr or ():
                say(line.rstrip())
            if process.wait():
                failed.append(job.notebook.name)
            n_run += 1
        return n_run

    with ThreadPoolExecutor(len(free)) as pool:
        done = [pool.submit(work, on) for on in free]
        try:
            n_run = sum(one.result() for one in done)
        except KeyboardInterrupt:
            waiting.clear()
            for process in running:
                process.send_signal(SIGINT)  # a shell interrupts them as well; once more does no harm
            raise
    if failed:
        raise ReproError(f"{', '.join(failed)} failed, see above; mend it, and the same command goes on from there")
    return n_run


def jobs_for(asked: Asked, root: Path) -> list[Job]:
    load_profile(asked.profile, root=root)  # raises where the profile or a setting is wrong
    notebooks = find(asked.names, root=root)
    for key in asked.offered:
        if not any(key in notebook.parameters for notebook in notebooks):
            names = ", ".join(notebook.name for notebook in notebooks)
            raise ReproError(f"no parameter '{key}' in {names or 'any notebook'}; leave it out")
    return [Job(notebook, _params(notebook, asked, root), asked.force, root) for notebook in notebooks]


def _params(notebook: Notebook, asked: Asked, root: Path) -> dict[str, Any]:
    """What the notebook will get. A default stays as it is, whatever the working directory holds of that name."""
    params = bind(notebook, asked.profile, asked.params, asked.offered)
    given = {key: params[key] for key in (*asked.params, *asked.offered) if key in params}
    other = {key: text for key, text in given.items() if isinstance(text, str) and text != notebook.parameters[key]}
    return {**params, **{key: from_root(text, root) for key, text in other.items()}}


def plan(asked: Asked, *, root: Path | None = None) -> list[str]:
    """What `run_all` would do, and the settings it would do it with, a line each."""
    root = root or repo_root()
    jobs = jobs_for(asked, root)
    todo = [(job, job.reason) for job in jobs]
    lines = [
        f"{job.notebook.name:<28} {reason or 'current':<24} {_about(job) if reason else ''}" for job, reason in todo
    ]
    total = sum(job.expected or 0 for job, reason in todo if reason)
    why = sources(asked.profile, root=root)
    settings = flat(load_profile(asked.profile, root=root))
    return [
        *lines,
        f"in all {duration(total)} where known",
        "",
        f"profile {asked.profile}:",
        *(f"  {key:<22} {value!s:<26} {why.get(key, '')}" for key, value in settings.items() if key != "profile"),
    ]


def _about(job: Job) -> str:
    return f"about {duration(job.expected)}" if job.expected else "time not known"


def _run(job: Job, reason: str) -> None:
    notebook, params, root = job.notebook, job.params, job.root
    folder = results_path(notebook, params["profile"], root)
    running, failed = (folder.with_name(f"{notebook.name}.{state}.ipynb") for state in ("running", "failed"))
    if job.force:
        shutil.rmtree(root / "work" / params["profile"] / notebook.name, ignore_errors=True)
    made_from, before = key_of(notebook, params, root), _written(folder)
    with clock(f"{notebook.name} ({reason})", job.expected):
        try:
            _execute(notebook.path, running, params, root)
            if _written(folder) == before:
                raise ReproError("it ran to its end without run.finish(), so nothing was recorded")
        except KeyboardInterrupt:
            running.unlink(missing_ok=True)
            raise
        except Exception as error:
            if running.is_file():
                os.replace(running, failed)
            raise ReproError(f"{notebook.name} failed: {_cause(error)}; see {failed.relative_to(root)}") from error
    overridden = sorted(key for key, value in params.items() if value != notebook.parameters[key])
    _make_publishable(running, root)
    attach(folder, running, key=digest(made_from), made_from=made_from, params_overridden=overridden)
    running.unlink()
    failed.unlink(missing_ok=True)


def _make_publishable(path: Path, root: Path) -> None:
    """Take this machine's folders out of an executed notebook: papermill notes paths, and warnings show them."""
    text = path.read_text(encoding="utf-8").replace(f"{root}/", "").replace(f"{Path.home()}/", "~/")
    path.write_text(text, encoding="utf-8")


def _written(folder: Path) -> int:
    """When the record in `folder` was written, 0 if there is none."""
    path = folder / "run.json"
    return path.stat().st_mtime_ns if path.is_file() else 0


def _execute(source: Path, target: Path, params: Mapping[str, Any], root: Path) -> None:
    from subprocess import DEVNULL

    from jupyter_client.manager import AsyncKernelManager

    class Kernel(AsyncKernelManager):
        def start_kernel(self, **kwargs: Any) -> Any:
            # What cells write goes into the notebook; this is only the kernel's talk about itself.
            return super().start_kernel(stderr=DEVNULL, **kwargs)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about notebook format and transport, nothing a reader can act on
        import papermill

        papermill.execute_notebook(
            str(source),
            str(target),
            parameters=dict(params),
            cwd=str(root),
            kernel_name="python3",
            kernel_manager_class=Kernel,
            progress_bar=False,
        )


def _cause(error: Exception) -> str:
    """One line: the error a cell raised, or what became of the kernel."""
    name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    count = getattr(error, "exec_count", None)
    where = f"cell {count}: " if count else ""
    first = (str(value).strip().splitlines() or [""])[0]
    return where + (first if name == "ReproError" else f"{name}: {first}")


@contextmanager
def _alone(job: Job) -> Iterator[None]:
    from filelock import FileLock, Timeout

    name, folder = job.notebook.name, results_path(job.notebook, job.params["profile"], job.root).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f".{name}.runner.lock", timeout=0):
            yield
    except Timeout:
        raise ReproError(f"{name} is already running in another process; wait for it, or end it first") from None
