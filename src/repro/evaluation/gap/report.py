"""What came out, as rows of a table and as plain data?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...seeds import rng
from .divergence import jensen_shannon
from .gap import GapResult, Gaps
from .mixtures import Mixture, optimal_mixture

_KEPT = ("p", "p_holm", "n_unscored")


@dataclass(frozen=True)
class HeldOut:
    """A mixture whose weights were found on one half of the real users and judged on the other. JS in nats."""

    names: tuple[str, ...]
    mixture: Mixture  # on the half it was fitted to
    js: float  # on the other half
    js_of_each: tuple[float, ...]  # of each simulator alone, on the other half
    js_of_users: float  # between the two halves


def held_out_mixture(gaps: Gaps, names: Sequence[str] | None = None, *, seed: int = 0) -> HeldOut:
    """The best mixture of the simulators called `names` (all of them by default)."""
    chosen = tuple(names or gaps.results)
    counts = gaps.labels["real"].counts(gaps.k)
    first = rng(seed, "halves").permutation(len(counts)) < len(counts) // 2
    fitted, other = counts[first].sum(0), counts[~first].sum(0)
    q = np.stack([gaps.histograms[name] / gaps.histograms[name].sum() for name in chosen])
    mixture, p = optimal_mixture(fitted, q), other / other.sum()
    alone = tuple(jensen_shannon(p, row) for row in q)
    users = jensen_shannon(p, fitted / fitted.sum())
    return HeldOut(chosen, mixture, jensen_shannon(p, np.asarray(mixture.weights) @ q), alone, users)


def as_data(gaps: Gaps) -> dict[str, Any]:
    """Everything but the labels, ready for JSON."""
    simulators = {
        name: {
            **asdict(r.divergences),
            "js_interval": r.js.row,
            "p": r.p,
            "p_holm": r.p_holm,
            "n_unscored": r.n_unscored,
        }
        for name, r in gaps.results.items()
    }
    how = {key: getattr(gaps, key) for key in ("representation", "encoder", "annotator", "k")}
    data: dict[str, Any] = {**how, "unit": "nats", "floor": gaps.floor.row, "simulators": simulators}
    if len(simulators) > 1:
        found = held_out_mixture(gaps)
        weights = dict(zip(found.names, found.mixture.weights, strict=True))
        data["mixture"] = {"weights": weights, "js": found.js, "certificate": found.mixture.certificate}
        data["mixture"] |= {"js_of_each": dict(zip(found.names, found.js_of_each, strict=True))}
        data["mixture"] |= {"js_of_users": found.js_of_users}
    return data


def as_text(gaps: Gaps) -> str:
    """A table for a terminal: nearest simulator first, then the floor and the mixture."""
    rows = sorted(gaps.results.values(), key=lambda result: result.js.value)
    wide = max(len("simulator"), *(len(row.simulator) for row in rows))
    head = (
        f"{'simulator':<{wide}}  {'JS corrected [95%]':<20} {'JS':>6} {'KL':>6} {'KL back':>7} {'p Holm':>6} {'n':>6}"
    )
    low = gaps.floor
    last = [f"halves of the real users are {low.value:.3f} [{low.low:.3f}, {low.high:.3f}] apart (JS, nats)"]
    if len(rows) > 1:
        found = held_out_mixture(gaps)
        parts = ", ".join(f"{w:.2f} {n}" for n, w in zip(found.names, found.mixture.weights, strict=True) if w > 0.005)
        last.append(f"the best mixture, on users it was not fitted to: JS {found.js:.3f} ({parts})")
    said = f"{gaps.representation}, {gaps.annotator} annotator, encoder {gaps.encoder}, k = {gaps.k}"
    return "\n".join([said, head, *(_line(row, wide) for row in rows), *last])


def _line(row: GapResult, wide: int) -> str:
    d, corrected = row.divergences, f"{row.js.value:.3f} [{row.js.low:.3f}, {row.js.high:.3f}]"
    numbers = f"{d.js:6.3f} {d.kl_forward:6.3f} {d.kl_backward:7.3f} {row.p_holm:6.3f} {d.n_simulated:6d}"
    unscored = f"  ({row.n_unscored} unscored)" if row.n_unscored else ""
    return f"{row.simulator:<{wide}}  {corrected:<20} {numbers}{unscored}"
