"""Which behaviours are common to users and a simulator, which does it miss, and which does it make up?

A cluster is a behaviour. Its share among real users beside its share among simulated ones, tested with Fisher's exact
test and the false discovery rate held at 5% over all clusters (Benjamini and Hochberg 1995); what it is about in the
terms that set it apart from the others (TF-IDF), and three things that users in it said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import ReproError
from .facets import FACETS, RAW
from .gap import Gaps

Reading = Literal["captured", "missed", "hallucinated", "unclear"]
READINGS: Mapping[Reading, str] = {
    "captured": "common on both sides, not shown to differ",
    "missed": "rarer than among users",
    "hallucinated": "more frequent than among users",
    "unclear": "rare on a side, not shown to differ",
}
LEVEL = 0.05  # of false discoveries
_MARKS = {"first", "then", "nothing", *FACETS}  # of our descriptions, in every one of them


@dataclass(frozen=True)
class Behaviour:
    """One cluster. `q` is its p-value, adjusted for all clusters; shares are of each side's conversations."""

    cluster: int
    reading: Reading
    real: float
    simulated: float
    q: float
    terms: tuple[str, ...]
    examples: tuple[str, ...]  # what users in it said first: real ones where there are any


def behaviours(gaps: Gaps, simulator: str, *, n_terms: int = 5, n_examples: int = 3) -> list[Behaviour]:
    """Every cluster in use, the most different first.

    captured: common on both sides (at least 1/k of each) and not shown to differ, which is no proof that they are the
    same; missed, hallucinated: rarer, or more frequent, than among real users beyond chance; unclear: what remains.
    Conversations count one by one here, not by user.
    """
    if simulator not in gaps.results:
        raise ReproError(f"no simulator '{simulator}' in these gaps; have {', '.join(gaps.results)}")
    counts = np.stack([gaps.histograms["real"], gaps.histograms[simulator]])  # (2, k)
    used = [int(b) for b in np.flatnonzero(counts.sum(0))]
    n, m = counts.sum(1)
    q, terms = _adjusted(counts[:, used], n, m), _terms(gaps, used, n_terms)
    found = [
        Behaviour(b, _reading(counts[0, b] / n, counts[1, b] / m, q[i], gaps.k), counts[0, b] / n, counts[1, b] / m,
                  float(q[i]), terms[i], _examples(gaps, simulator, b, n_examples))
        for i, b in enumerate(used)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.q, -abs(one.real - one.simulated)))


def _adjusted(counts: np.ndarray[tuple[int, int], np.dtype[np.float64]], n: float, m: float) -> Sequence[float]:
    from scipy.stats import false_discovery_control, fisher_exact

    p = [fisher_exact([[a, n - a], [b, m - b]]).pvalue for a, b in counts.T]
    return [float(x) for x in false_discovery_control(np.clip(p, 0, 1))]


def _reading(real: float, simulated: float, q: float, k: int) -> Reading:
    if q < LEVEL:
        return "missed" if real > simulated else "hallucinated"
    return "captured" if min(real, simulated) >= 1 / k else "unclear"


def _terms(gaps: Gaps, used: Sequence[int], n_terms: int) -> list[tuple[str, ...]]:
    """The highest TF-IDF terms of each cluster, all its texts taken as one: phrases of facets, words of raw text."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    inside: dict[int, list[str]] = {b: [] for b in used}
    for name, texts in gaps.texts.items():
        for label, text in zip(gaps.labels[name].labels, texts, strict=True):
            if int(label) in inside:
                inside[int(label)].append(text)
    split = {"stop_words": "english"} if gaps.representation in RAW else {"analyzer": _phrases}
    reader = TfidfVectorizer(sublinear_tf=True, **split)
    try:
        weights = reader.fit_transform("\n".join(texts) for texts in inside.values()).toarray()
    except ValueError:  # nothing but stop words and marks
        return [() for _ in used]
    names = reader.get_feature_names_out()
    return [tuple(names[i] for i in np.argsort(-row)[:n_terms] if row[i] > 0) for row in weights]


def _phrases(text: str) -> list[str]:
    return [part for part in re.split(r"[;,:.\n]+\s*", text) if part and part not in _MARKS]


def _examples(gaps: Gaps, simulator: str, cluster: int, n: int) -> tuple[str, ...]:
    said = [
        one.user_turns[0].text
        for name in ("real", simulator)
        for one, label in zip(gaps.conversations[name], gaps.labels[name].labels, strict=True)
        if label == cluster and one.user_turns
    ]
    return tuple(dict.fromkeys(said))[:n]
