"""Do a simulator's turns pass for a user's?

A classifier two-sample test (Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests"): a detector is trained
to tell users' turns from the simulator's, and asked about turns of users it was not trained on. arXiv 2510.06552 asks
detectors of machine text; those can be plugged in. Between two samples of users the share is about one half, and so is
the area under the curve: that is the calibration, to be printed beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...errors import ReproError
from ...seeds import rng
from ...types import Estimate, Trajectory
from ..stats import SHARE, Floats, interval_of
from .parts import Parts

N_FOLDS = 5
_SAID_BY_USER = 0.5  # what is likelier a user's is taken for one; both sides weigh the same in training


class Detector(Protocol):
    """Anything that says of each text how likely it is that a user wrote it, from 0 to 1."""

    def __call__(self, texts: Sequence[str]) -> Sequence[float]: ...


@dataclass(frozen=True)
class Natural:
    """`passes` holds a 1 for every turn of the simulator that was taken for a user's, by user, and a NaN for every
    dialogue that failed; `auc` is one half where users and simulator cannot be told apart, 1 where they always can."""

    passes: Parts
    auc: Estimate

    @property
    def share(self) -> Estimate:
        return self.passes.found


@dataclass(frozen=True)
class _Said:
    texts: list[str]
    users: list[str]
    by_user: list[bool]


def naturalness(
    simulated: Sequence[Trajectory], real: Sequence[Trajectory], *, detector: Detector | None = None, seed: int = 0
) -> Estimate:
    """The share of a simulator's turns that pass for a user's; `detected` has the rest."""
    return detected(simulated, real, detector=detector, seed=seed).share


def detected(
    simulated: Sequence[Trajectory], real: Sequence[Trajectory], *, detector: Detector | None = None, seed: int = 0
) -> Natural:
    """What a detector makes of the turns of both sides; without one, ours is trained, cross-validated by user.

    Ours: logistic regression on TF-IDF of character 1- to 4-grams. Silent turns are left out; a failed dialogue is
    one unscored item. Intervals resample users (also where a user has several tasks), to Student's quantiles; the
    detector is not trained anew for them. Where all draws agree: `alike_interval`; of the area, with half the users
    for n, because it compares users with each other.
    """
    said = _said(simulated, real)
    p_user = np.asarray(detector(said.texts) if detector else _cross_validated(said, seed), dtype=np.float64)
    if len(p_user) != len(said.texts):
        raise ReproError(f"the detector was given {len(said.texts)} texts and answered about {len(p_user)}")
    mine = [i for i, by_user in enumerate(said.by_user) if not by_user]
    taken = [float(p_user[i] > _SAID_BY_USER) for i in mine]
    failed = [t.task.user_id for t in simulated if t.error]
    passes = Parts.mean([*taken, *[float("nan")] * len(failed)], [*(said.users[i] for i in mine), *failed])
    n_failed = len(failed) + sum(bool(t.error) for t in real)
    return Natural(passes, _auc(p_user, said, seed, n_failed=n_failed))


def _said(simulated: Sequence[Trajectory], real: Sequence[Trajectory]) -> _Said:
    rows = [
        (turn.text, t.task.user_id, by_user)
        for by_user, side in ((False, simulated), (True, real))
        for t in side
        if not t.error
        for turn in t.user_turns
        if turn.text
    ]
    said = _Said(*(list(column) for column in zip(*rows, strict=True))) if rows else _Said([], [], [])
    if len(set(said.by_user)) < 2:
        raise ReproError("naturalness compares turns of two sides; one of them said nothing")
    return said


def _cross_validated(said: _Said, seed: int) -> Floats:
    """Each turn's probability from a detector that saw no turn of that user, nor of the simulator in their place."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    n_folds = min(N_FOLDS, len(set(said.users)))
    if n_folds < 2:
        raise ReproError("a detector is tried on users it was not trained on; give dialogues of two users or more")
    folds = GroupKFold(n_folds, shuffle=True, random_state=seed)
    how: dict[str, Any] = {"groups": said.users, "cv": folds, "method": "predict_proba"}
    return np.asarray(cross_val_predict(_classifier(), said.texts, said.by_user, **how)[:, 1])


def _classifier() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2, sublinear_tf=True)
    return make_pipeline(grams, LogisticRegression(C=10, class_weight="balanced", max_iter=1000))


def _auc(p_user: Floats, said: _Said, seed: int, *, n_failed: int, n_boot: int = 300) -> Estimate:
    """Area under the curve of telling users' turns from the simulator's; users drawn anew."""
    from sklearn.metrics import roc_auc_score

    codes = np.unique(said.users, return_inverse=True)[1]
    n, dice = int(codes.max()) + 1, rng(seed, "auc")
    found = []
    for drawn in dice.multinomial(n - 1, np.full(n, 1 / n), size=n_boot):
        weights = drawn[codes]
        some = weights > 0
        if len(set(np.asarray(said.by_user)[some])) == 2:
            found.append(roc_auc_score(np.asarray(said.by_user)[some], p_user[some], sample_weight=weights[some]))
    value = float(roc_auc_score(said.by_user, p_user))
    low, high = interval_of(np.array(found), value, n_clusters=n, n_alike=n // 2, within=SHARE)
    return Estimate(value, low, high, len(p_user), n_failed, n)
