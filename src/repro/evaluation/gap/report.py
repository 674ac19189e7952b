"""What came out, as rows of a table and as plain data?"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .by_user import FEWEST
from .divergence import jensen_shannon
from .gap import GapResult, Gaps
from .held_out import held_out_mixture

if TYPE_CHECKING:
    import pandas as pd


def gap_table(gaps: Gaps) -> pd.DataFrame:
    """One row a simulator, and one, "real", for the floor: simulator, value, low, high, n, n_unscored, n_cut, js, ...

    `n` and `n_unscored` count the conversations of both sides; `n_unpaired` are those of the unscored whose user is on
    one side only, where the others are `paired`. `n_cut` are the texts of this side that the encoder reads in part.
    """
    import pandas as pd

    rows = [_row(name, result, gaps.n_cut[name]) for name, result in gaps.results.items()]
    counts = {"n_cut": gaps.n_cut["real"], "paired": False, "n_unpaired": 0}
    tests = {"js": gaps.floor.value, "p": math.nan, "p_holm": math.nan, "p_is_least": False}
    return pd.DataFrame([*rows, {"simulator": "real", **gaps.floor_corrected.row, **counts, **tests}])


def _row(name: str, result: GapResult, n_cut: int) -> dict[str, Any]:
    d = result.divergences
    tests = {
        "js": d.js,
        "p": result.p,
        "p_holm": result.p_holm,
        "p_is_least": result.sure.p_is_least,
        "kl_forward": d.kl_forward,
        "kl_backward": d.kl_backward,
    }
    counts = {"n_cut": n_cut, "paired": result.sure.paired, "n_unpaired": result.sure.n_unpaired}
    return {"simulator": name, **result.js.row, **counts, **tests}


def pairwise_table(gaps: Gaps) -> pd.DataFrame:
    """Every side beside every other: columns a, b, n_a, n_b (conversations), js (nats).

    `js` is plain: what small samples put on is not taken off, and samples of one population are not at 0.
    """
    import pandas as pd

    n = {name: int(counts.sum()) for name, counts in gaps.histograms.items()}
    p = {name: counts / n[name] for name, counts in gaps.histograms.items()}
    pairs = [(a, b, n[a], n[b], jensen_shannon(p[a], p[b])) for a in p for b in p]
    return pd.DataFrame(pairs, columns=["a", "b", "n_a", "n_b", "js"])


def as_data(gaps: Gaps) -> dict[str, Any]:
    """Everything but the labels, ready for JSON."""
    simulators = {
        name: {
            **asdict(r.divergences),
            "js_interval": r.js.row,
            "p": r.p,
            "p_holm": r.p_holm,
            "n_unscored": r.n_unscored,
            "paired": r.sure.paired,
            "n_unpaired": r.sure.n_unpaired,
        }
        for name, r in gaps.results.items()
    }
    how = {key: getattr(gaps, key) for key in ("representation", "encoder", "annotator", "k")}
    data: dict[str, Any] = {**how, "unit": "nats", "floor": gaps.floor.row, "simulators": simulators}
    data |= {"floor_corrected": gaps.floor_corrected.row, "n_cut": dict(gaps.n_cut)}
    if _can_be_mixed(gaps):
        found = held_out_mixture(gaps)
        weights = dict(zip(found.names, found.mixture.weights, strict=True))
        each = dict(zip(found.names, found.js_of_each, strict=True))
        data["mixture"] = {"weights": weights, "js": found.js, "certificate": found.mixture.certificate}
        data["mixture"] |= {"js_of_each": each, "js_of_users": found.js_of_users}
    return data


def _can_be_mixed(gaps: Gaps) -> bool:
    return len(gaps.results) > 1 and min(len({*side.users}) for side in gaps.labels.values()) >= FEWEST


def as_text(gaps: Gaps) -> str:
    """A table for a terminal: nearest simulator first, then the floor and the mixture."""
    rows = sorted(gaps.results.values(), key=lambda result: result.js.value)
    wide = max(len("simulator"), *(len(row.simulator) for row in rows))
    head = (
        f"{'simulator':<{wide}}  {'JS corrected [95%]':<20} {'JS':>6} {'KL':>6} {'KL back':>7} {'p Holm':>6} {'n':>6}"
    )
    low = gaps.floor
    last = [f"halves of the real users are {low.value:.3f} [{low.low:.3f}, {low.high:.3f}] apart (JS, nats)"]
    if _can_be_mixed(gaps):
        found = held_out_mixture(gaps)
        parts = ", ".join(f"{w:.2f} {n}" for n, w in zip(found.names, found.mixture.weights, strict=True) if w > 0.005)
        last.append(f"the best mixture, on users it was not fitted to: JS corrected {found.js:.3f} ({parts})")
    if n_cut := sum(gaps.n_cut.values()):
        last.append(f"{n_cut} of {sum(map(len, gaps.texts.values()))} texts are longer than the encoder reads")
    said = f"{gaps.representation}, {gaps.annotator} annotator, encoder {gaps.encoder}, k = {gaps.k}"
    return "\n".join([said, head, *(_line(row, wide) for row in rows), *last])


def _line(row: GapResult, wide: int) -> str:
    d, corrected = row.divergences, f"{row.js.value:.3f} [{row.js.low:.3f}, {row.js.high:.3f}]"
    numbers = f"{d.js:6.3f} {d.kl_forward:6.3f} {d.kl_backward:7.3f} {row.p_holm:6.3f} {d.n_simulated:6d}"
    unscored = f"  ({row.n_unscored} unscored)" if row.n_unscored else ""
    return f"{row.simulator:<{wide}}  {corrected:<20} {numbers}{unscored}"
