"""How do parts of work run on many machines, so that each is done and kept once?

`map` applies a function to items: one after the other here, or each as a Ray task. What it returns is filed, as JSON,
under the hash of what the item says before it counts as done; a part that was filed is never done again, so that
anything may be killed or started twice. A worker that dies is replaced, and its part tried again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ReproError, one_line
from ..models.hashes import digest

N_TRIES = 4  # of a part whose worker dies. ours: machines that are taken back and given again
Item = TypeVar("Item")


@dataclass(frozen=True)
class Resources:
    """What one part takes of the machine that it runs on."""

    cpus: float = 1
    gpus: float = 0

    def __str__(self) -> str:
        return f"{self.cpus:g} cores and {self.gpus:g} GPUs"


def map(
    function: Callable[[Item], Any], items: Sequence[Item], *, key: Callable[[Item], object], store: Path | None = None,
    resources: Resources | None = None, on_ray: bool = False, stay_loaded: bool = False,
) -> list[Any]:  # fmt: skip
    """What `function` makes of each item, same order; items with equal keys are one.

    `key` says all that decides a result, as something JSON can hold, and so is a result that `store` (a folder) keeps.
    Without a store the function has to file its own work, and to find it when it is called again. With `stay_loaded` a
    worker that holds GPUs goes on with the next item; otherwise it ends with each, so that their memory is free again.
    """
    keys = [digest(key(item)) for item in items]
    paths = {one: store / f"{one}.json" if store else None for one in keys}
    todo = dict(zip(keys, items, strict=True))
    if on_ray:
        done = _on_ray(function, todo, paths, resources or Resources(), stay_loaded)
    else:
        done = {one: _filed(function, item, paths[one]) for one, item in todo.items()}
    return [done[one] for one in keys]


def _filed(function: Callable[[Item], Any], item: Item, path: Path | None) -> Any:
    """The result as it is kept, made if it is not there."""
    if path is None:
        return function(item)
    return kept(path) if path.is_file() else _keep(path, function(item))


def kept(path: Path) -> Any:
    """A result as it was filed."""
    try:
        return json.loads(path.read_bytes())  # of bytes, half a surrogate pair is read as it was written
    except ValueError:
        raise ReproError(f"{path} is not JSON; remove it, and it is made again") from None


def _keep(path: Path, result: Any) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.uname().nodename}-{os.getpid()}")
    text = json.dumps(result, ensure_ascii=False)
    draft.write_text(text, "utf-8", errors="surrogatepass")
    draft.replace(path)
    return json.loads(text)


def _on_ray(
    function: Callable[[Any], Any], todo: Mapping[str, Any], paths: Mapping[str, Path | None], resources: Resources,
    stay_loaded: bool,
) -> dict[str, Any]:  # fmt: skip
    """The same on the workers of a cluster. What one fails at does not stop the others; the first failure is raised."""
    ray = _ray(resources)
    how = {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_retries": N_TRIES - 1}
    how |= {"max_calls": 0} if stay_loaded else {}  # no limit; Ray's default for tasks with GPUs is 1
    task = ray.remote(**how)(_filed)
    running = {task.remote(function, item, paths[one]): one for one, item in todo.items()}
    done, failed = dict[str, Any](), list[Exception]()
    while running:
        (reference, *_), _ = ray.wait([*running], num_returns=1)
        one = running.pop(reference)
        try:
            done[one] = ray.get(reference)
        except Exception as error:  # the function's own, or Ray's where workers keep dying
            failed.append(error)
            continue
        path = paths[one]
        if path and not path.is_file():  # made on a machine that does not share our disk
            _keep(path, done[one])
    if failed:
        raise ReproError(f"{len(failed)} of {len(todo)} parts failed, the first with {_said(failed[0])}") from failed[0]
    return done


def _ray(resources: Resources) -> Any:
    """Ray, connected: to the cluster that RAY_ADDRESS names, else to this machine's cores."""
    try:
        import ray
    except ModuleNotFoundError:
        raise ReproError("a cluster takes Ray, which is not installed: pip install 'repro[cluster]'") from None
    try:
        if not ray.is_initialized():
            ray.init(log_to_driver=True)
    except Exception as error:  # what Ray raises here is of many kinds
        raise ReproError(f"Ray did not start or answer ({one_line(error)}); mend RAY_ADDRESS, or unset it") from error
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(m.get("CPU", 0) >= resources.cpus and m.get("GPU", 0) >= resources.gpus for m in machines):
        most = ", ".join(f"{m.get('CPU', 0):g} cores and {m.get('GPU', 0):g} GPUs" for m in machines)
        raise ReproError(f"a part takes {resources}, and no machine has them: {most}; set `cluster` in the profile")
    return ray


def _said(error: Exception) -> str:
    """What went wrong on a worker, without the trace of how it came here."""
    cause = getattr(error, "cause", None)
    return one_line(cause if isinstance(cause, Exception) else error)
