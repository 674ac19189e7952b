"""Is every number in the paper on record?

`paper/main.typ` reads `results/<profile>/**/numbers.json` itself. Before it is compiled every record must be whole and
as its run wrote it; while it is compiled, a key that no record holds is an error. The last good PDF stays until then.
"""

from __future__ import annotations

from pathlib import Path

from repro.config import profile_path, repo_root
from repro.errors import ReproError
from repro.reporting.record import is_complete


def build(profile: str, *, root: Path | None = None) -> Path:
    """`paper/paper.pdf` from the results of `profile`."""
    import typst

    root = root or repo_root()
    profile_path(profile, root)  # raises where there is no such profile
    if not any((root / "results" / profile).glob("*/numbers.json")):
        raise ReproError(f"no results under profile {profile} yet; make reproduce PROFILE={profile} makes them")
    for path in sorted((root / "results").glob("*/*/numbers.json")):
        if not is_complete(path.parent):
            name = path.parent.relative_to(root)
            raise ReproError(f"{name} is not what its run wrote; run that notebook again before the paper")
    source, target = root / "paper" / "main.typ", root / "paper" / "paper.pdf"
    if not source.is_file():
        raise ReproError(f"no paper/main.typ in {root}; restore it from git")
    records = sorted(path.parent.name for path in (root / "results" / profile).glob("*/numbers.json"))
    inputs = {"profile": profile, "records": ",".join(records)}  # a part of the paper needs its record
    try:
        typst.compile(str(source), output=str(target), root=str(root), sys_inputs=inputs)
    except typst.TypstError as error:
        reason = " ".join(error.message.removeprefix("panicked with: ").split())
        raise ReproError(f"the paper cannot be built: {reason}") from None
    return target
