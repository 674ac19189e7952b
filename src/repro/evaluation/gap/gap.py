"""How far is a simulator from real users, and how sure is that?

From two sets of conversations to one result: represent, encode, quantise, diverge, and say how sure. All simulators are
clustered together with the real users, so that their histograms have the same bins and can be mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import ReproError
from ...types import Estimate
from ..stats import holm
from .certainty import Certainty, Side, compare, floor
from .conversations import Conversation
from .divergence import Divergences, Floats, divergences, histogram
from .encode import Encoder, load_encoder, n_cut
from .facets import Annotator, LexicalFacets, represent
from .kept_vectors import Vectors
from .quantize import SEED, VARIANCE, K, quantize

FEATURES = "features"  # in place of an encoder: what the lexical rules counted


@dataclass(frozen=True)
class GapResult:
    """One simulator beside real users. All distances in nats."""

    simulator: str
    divergences: Divergences  # of all conversations that could be represented
    sure: Certainty
    js: Estimate  # corrected for small samples, with its interval; `n` and `n_unscored` count both sides
    p_holm: float  # `p`, adjusted for all simulators of the call

    @property
    def p(self) -> float:
        """Of a permutation test: could it be users?"""
        return self.sure.p

    @property
    def excess(self) -> float:
        """What small samples put on, as a multiple of `js_bias`."""
        return self.sure.excess

    @property
    def n_unscored(self) -> int:
        """Conversations of both sides that failed, could not be represented, or whose user is on one side only."""
        return self.js.n_unscored


@dataclass(frozen=True)
class Gaps:
    """All simulators of one call, and what they have in common."""

    results: Mapping[str, GapResult]
    floor: Estimate  # between random halves of the real users
    floor_corrected: Estimate  # the same, less what small samples put on
    histograms: Mapping[str, Floats]  # counts by side, "real" among them, on the same k bins
    labels: Mapping[str, Side]
    conversations: Mapping[str, Sequence[Conversation]]  # those that could be represented, as labelled
    n_lost: Mapping[str, int]  # those that failed or could not be, by side
    n_cut: Mapping[str, int]  # those whose text is longer than the encoder reads, by side
    texts: Mapping[str, Sequence[str]]  # what stood for each
    vectors: Mapping[str, Vectors]  # where each lies
    representation: str
    encoder: str
    annotator: str
    k: int


def behavioral_gaps(
    real: Sequence[Conversation], simulated: Mapping[str, Sequence[Conversation]], *, representation: str = "combined",
    encoder: str | Encoder = "minilm", annotator: Annotator | None = None, k: int = K, variance: float = VARIANCE,
    seed: int = SEED, n_permutations: int = 999, engine: str = "sklearn",
) -> Gaps:  # fmt: skip
    """The gap of each simulator; `encoder` is a name, an `Encoder`, or "features": the counts of the lexical rules."""
    if not simulated or "real" in simulated:
        raise ReproError("give one simulator or more by name, none of them called 'real'")
    annotator = annotator or LexicalFacets()
    told = {n: represent(said, representation, annotator) for n, said in {"real": real, **simulated}.items()}
    kept, texts = {n: both[0] for n, both in told.items()}, {n: both[1] for n, both in told.items()}
    vectors, cut = _vectors(kept, texts, representation, encoder, annotator)
    found = quantize(vectors, k=k, variance=variance, seed=seed, engine=engine)
    sides = {name: Side(found.labels[name], [one.user for one in kept[name]]) for name in kept}
    sure = {n: compare(sides["real"], sides[n], k=k, n_permutations=n_permutations, seed=seed) for n in simulated}
    adjusted = dict(zip(sure, holm([one.p for one in sure.values()]), strict=True))
    lost = {name: len(said) - len(kept[name]) for name, said in {"real": real, **simulated}.items()}
    results = {
        name: GapResult(
            name,
            divergences(found.labels["real"], found.labels[name], k=k),
            sure[name],
            with_lost(sure[name].js, lost["real"] + lost[name]),
            adjusted[name],
        )
        for name in simulated
    }
    histograms = {name: histogram(labels, k=k) for name, labels in found.labels.items()}
    low, low_corrected = (
        with_lost(floor(sides["real"], k=k, seed=seed, corrected=mended), lost["real"]) for mended in (False, True)
    )
    named = encoder if isinstance(encoder, str) else encoder.name
    return Gaps(
        results, low, low_corrected, histograms, sides, kept, lost, cut, texts, vectors, representation, named,
        annotator.name, k,
    )  # fmt: skip


def with_lost(number: Estimate, n_lost: int) -> Estimate:
    """The same number with so many more conversations unscored."""
    return replace(number, n_unscored=number.n_unscored + n_lost)


def behavioral_gap(
    real: Sequence[Conversation], simulated: Sequence[Conversation], *, name: str = "simulated", **how: object
) -> GapResult:
    """The gap of one simulator; `how` is what `behavioral_gaps` takes."""
    return behavioral_gaps(real, {name: simulated}, **how).results[name]  # type: ignore[arg-type]


def _vectors(
    kept: Mapping[str, Sequence[Conversation]], texts: Mapping[str, Sequence[str]], representation: str,
    encoder: str | Encoder, annotator: Annotator,
) -> tuple[dict[str, Vectors], dict[str, int]]:  # fmt: skip
    """Where each conversation lies, and how many of their texts were cut, by side."""
    if empty := [name for name in kept if not kept[name]]:
        raise ReproError(f"no conversation of '{empty[0]}' could be represented; there is nothing to compare")
    if encoder == FEATURES:
        if not isinstance(annotator, LexicalFacets):
            raise ReproError("features are what the lexical rules counted; give an encoder for another annotator")
        return {name: annotator.features(said, representation) for name, said in kept.items()}, dict.fromkeys(kept, 0)
    reader = load_encoder(encoder) if isinstance(encoder, str) else encoder
    cut = {name: n_cut(reader, said) for name, said in texts.items()}
    return {name: reader.encode(said) for name, said in texts.items()}, cut
