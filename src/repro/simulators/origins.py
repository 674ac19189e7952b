"""What is a simulator made of?

Who edits a simulator keeps its name, so dialogues and results are kept under the hashes of all that its spec stands for
on this machine: files, folders, the source of a module, adapters, and the same of every spec within it. What the source
imports from elsewhere is not seen, nor is what stands behind an endpoint or a hub id, of which the spec itself is all
there is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..config import repo_root
from ..errors import ReproError
from ..models.hashes import digest, sha256, tree
from ..models.local import base_of, brings_tokenizer
from ..models.served import SCHEME
from ..models.vllm import SCHEME as VLLM
from .registry import ON_A_MODEL, ON_RELEASED, RELEASED, SIMULATORS, installed

Parts = Iterator[tuple[str, str]]  # name and SHA-256


def made_of(spec: str, root: str | Path = "") -> dict[str, str]:
    """The SHA-256 of each file, folder and module that `spec` stands for, by name; nothing is loaded.

    Relative paths start at `root`, without it at the working directory. A text that stands for none has no entry.
    """
    return dict(_parts(spec, Path(root).resolve(), set()))


def _parts(spec: str, root: Path, seen: set[str]) -> Parts:
    """`seen` are the specs around this one, which a YAML file might name again."""
    head, colon, rest = spec.partition(":")
    inner = seen | {spec}
    if spec in seen:
        return
    if spec in SIMULATORS:
        yield from _path(RELEASED, repo_root(root)) if spec in ON_RELEASED else ()
    elif spec in (points := installed()):
        yield from _module(points[spec].value.partition(":")[0], root)
    elif colon and head == "mixture":
        for part in rest.split(","):
            yield from _parts(part.rpartition("=")[0].strip(), root, inner)
    elif colon and head in (*ON_A_MODEL, SCHEME, VLLM):
        yield from _model(spec if head == VLLM else rest, root)
    elif found := [*_path(spec, root)] or [*_path(head, root)]:
        yield from found
        for text in _texts_in(root / spec):
            yield from _parts(text, root, inner)
    elif rest.isidentifier() and not head.endswith(".py"):
        yield from _module(head, root)


def _model(spec: str, root: Path) -> Parts:
    """A model: a folder; with `vllm:`, one that settings may follow."""
    is_vllm = spec.startswith(f"{VLLM}:")
    return _path(spec.removeprefix(f"{VLLM}:").partition("?")[0] if is_vllm else spec, root)


def _path(name: str, root: Path) -> Parts:
    """A file or folder; of an adapter that says so, what it goes on as well."""
    path = root / name
    if name and os.path.isfile(path):  # which, unlike `Path.is_file`, takes any text
        yield name, sha256(path)
    elif name and os.path.isdir(path):
        yield name, tree(path)
        with suppress(ReproError):
            yield from _path(base_of(path), root) if brings_tokenizer(path) else ()


def _module(name: str, root: Path) -> Parts:
    """The source of a module, which `root` may hold: a file, or the package it belongs to, whole."""
    top, found = name.partition(".")[0], None
    with suppress(ValueError, ImportError):
        found = PathFinder.find_spec(top, [str(root)]) or find_spec(top) if top.isidentifier() else None
    if found and found.submodule_search_locations:
        yield top, digest([tree(Path(place)) for place in found.submodule_search_locations])
    elif found and found.origin and os.path.isfile(found.origin):
        yield top, sha256(Path(found.origin))


def _texts_in(path: Path) -> Iterator[str]:
    """Every text in a YAML file that describes a simulator; one that cannot be read has none."""
    import yaml

    if path.suffix in (".yaml", ".yml"):
        with suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
            yield from _texts(yaml.safe_load(path.read_text(encoding="utf-8")))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts([*value, *value.values()])
        case list():
            for one in value:
                yield from _texts(one)
