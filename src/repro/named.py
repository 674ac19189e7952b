"""Which files does a parameter name?

A notebook runs in the root of the checkout; who asks for it may be elsewhere. So what is named from the working
directory is named from the root before anything else is done with it. What it holds is part of what a result is made
from, whether the parameter was given or is the notebook's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from repro.simulators import made_of
from repro.simulators.registry import names

_PART = re.compile(r"[^:=,?]+")  # of `my_users.py:Terse`, `userlm:FOLDER`, `mixture:my_users.py:Terse=0.7,oracle=0.3`


def from_root(text: str, root: Path) -> str:
    """The same text, with what it names of the working directory named from `root`; a simulator's name stays one."""
    if Path.cwd() == root:
        return text
    whole = _from_root(text, root)
    return whole if whole != text else _PART.sub(lambda part: _from_root(part[0], root), text)


def _from_root(text: str, root: Path) -> str:
    is_here = os.path.exists(text) and not os.path.isabs(text) and text not in names()
    return os.path.relpath(text, root) if is_here else text


def files_of(params: Mapping[str, object], root: Path) -> dict[str, dict[str, str]]:
    """By parameter, the SHA-256 of each file, folder and module that its text names or, as a simulator, stands for."""
    found = {key: made_of(text, root) for key, text in params.items() if isinstance(text, str)}
    return {key: parts for key, parts in found.items() if parts}
