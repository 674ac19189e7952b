"""Which published claims held here?

`configs/claims.yaml` lists each claim with its published value, its source and the key in numbers.json that tests it.
The rules are fixed before the numbers are seen, and p-values below 0.05 count as small:

| test | supported | not supported | inconclusive |
| --- | --- | --- | --- |
| `greater_than_half` | 95% interval above 0.5 and Holm-adjusted p small | interval below 0.5, or TOST p small | else |
| `equivalent_to_half` | TOST p small | interval without 0.5 | else |
| `greater_than_zero` | 95% interval above 0 | interval below 0 | else |

The interval and TOST count participants and training seeds; the exact p counts participants. Inconclusive is not "no
effect": the verdict then says how small an effect the run could have seen, or that a mixture could gain nothing, since
one simulator makes it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from repro.errors import ReproError
from repro.reporting.record import is_complete, load_numbers, put_between, record_of
from repro.types import Estimate

Test = Literal["greater_than_half", "equivalent_to_half", "greater_than_zero"]
Outcome = Literal["supported", "not supported", "inconclusive", "not run"]

ALPHA = 0.05
SEEN = (1.960 + 0.842) / (2 * 1.960)  # of the width of a 95% interval: the effect that is found four times in five
ALL_BUT = 0.95  # of a mixture's weight; ours: who has as much is the mixture
BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
MISSING = Estimate(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True)
class Claim:
    """A published finding and where its counterpart is recorded."""

    id: str
    text: str
    published: float | None  # None: the paper says which way, and gives no number that compares
    source: str
    notebook: str
    key: str  # in numbers.json: "winrate.<a>_vs_<b>", or another number that is 0 if there is no effect
    test: Test

    def __post_init__(self) -> None:
        if self.test not in get_args(Test):
            raise ReproError(f"claim {self.id} has no test {self.test!r}; have {', '.join(get_args(Test))}")
        if not isinstance(self.published, int | float | None):
            raise ReproError(f"claim {self.id} has {self.published!r} as its published value; give a number or null")
        if self.key.startswith("winrate.") == (self.test == "greater_than_zero") or "." not in self.key:
            raise ReproError(
                f"claim {self.id} tests {self.key!r} by {self.test}; win rates, and only they, have a half"
            )

    @property
    def about(self) -> str:
        """What the number is about, `<a>_vs_<b>` for a win rate; numbers beside it are called `mde.<about>`, ..."""
        return self.key.partition(".")[2]


@dataclass(frozen=True)
class Verdict:
    claim: Claim
    outcome: Outcome
    found: Estimate
    reason: str
    n_seeds: int


def load_claims(path: str | Path = "configs/claims.yaml") -> list[Claim]:
    import yaml

    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError("it has to hold a list, one claim an entry")
        return [Claim(**entry) for entry in entries]
    except (OSError, TypeError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReproError(f"cannot read the claims in {path}: {error}") from error


def published(claims: Sequence[Claim]) -> dict[str, float]:
    """The published win rates by pair, for `win_rate_figure`."""
    return {c.about: c.published for c in claims if c.published is not None and c.key.startswith("winrate.")}


def verdict(claim: Claim, numbers: Mapping[str, Estimate]) -> Verdict:
    """What `numbers` (of `load_numbers`) say about `claim`, by the rules above; a key that is not there: not run."""

    def beside(name: str) -> float:
        return numbers.get(f"{name}.{claim.about}", MISSING).value

    found, bound, mde = numbers.get(claim.key, MISSING), beside("tost_bound"), beside("mde")
    of_zero = claim.test == "greater_than_zero"
    null, named = (0.0, "zero") if of_zero else (0.5, "one half")
    above, below = found.low > null, found.high < null
    greater, same = above and beside("p_holm") < ALPHA, beside("tost_p") < ALPHA
    mde = mde if mde == mde else SEEN * (found.high - found.low)
    outcome: Outcome = "inconclusive"
    reason = f"an effect of {mde:.2g} or more would have been seen" if mde > 0 else "no spread to judge by"
    if found.n == 0:
        outcome, reason = "not run", "no number yet"
    elif claim.test == "greater_than_half" and greater:
        outcome, reason = "supported", "interval above one half, exact test agrees"
    elif of_zero and above:
        outcome, reason = "supported", "interval above zero"
    elif same:
        outcome = "supported" if claim.test == "equivalent_to_half" else "not supported"
        reason = f"shown to be within {bound:.2f} of one half"
    elif below or (above and claim.test == "equivalent_to_half"):
        outcome, reason = "not supported", f"interval {'below' if below else 'above'} {named}"
    if outcome in ("inconclusive", "not supported"):
        reason = _one_alone(claim, numbers) or reason
    n_seeds = int(beside("n_seeds")) if beside("n_seeds") == beside("n_seeds") else 0
    if n_seeds == 1 and outcome != "not run":
        reason += "; one training seed, so it is about these two assistants only"
    return Verdict(claim, outcome, found, reason, n_seeds)


def _one_alone(claim: Claim, numbers: Mapping[str, Estimate]) -> str:
    """Why a mixture could gain nothing, by the numbers of `MixtureGain.as_numbers`: one simulator makes it up."""
    largest, nearest = (numbers.get(f"{key}.{claim.about}", MISSING) for key in ("largest_weight", "nearest"))
    if not largest.value >= ALL_BUT:
        return ""
    near = "already at the floor" if nearest.low <= 0 else f"{nearest.value:.3f} nats from users"
    return f"nothing to gain: the nearest simulator is {near} and makes up {largest.value:.0%} of the best mixture"


def claims_table(
    results_path: str | Path = "results", profile: str = "cpu", *, claims_path: str | Path = "configs/claims.yaml"
) -> str:
    """Every claim that was tested under `profile` beside what came out, in Markdown; then those that were not."""
    claims = load_claims(claims_path)
    paths = {claim.notebook: Path(results_path) / profile / claim.notebook for claim in claims}
    numbers = {name: load_numbers(path) if is_complete(path) else {} for name, path in paths.items()}
    judged = [verdict(claim, numbers[claim.notebook]) for claim in claims]
    rows = [_row(one) for one in judged if one.outcome != "not run"]
    head = ["| claim | published | found here | seeds | verdict |", "| --- | --- | --- | --- | --- |"]
    table = [*head, *rows, ""] if rows else []
    return "\n".join([*table, *_sources(profile, paths), *_not_run(profile, judged)])


def _row(found: Verdict) -> str:
    value = str(found.found) if found.found.n else "-"
    claim = f"{found.claim.id}: {found.claim.text} ({found.claim.source})"
    outcome = f"**{found.outcome}**: {found.reason}"
    published = "-" if found.claim.published is None else f"{found.claim.published:.2f}"
    return f"| {claim} | {published} | {value} | {found.n_seeds or '-'} | {outcome} |"


def _sources(profile: str, paths: Mapping[str, Path]) -> list[str]:
    """Which run each number is from: one line per notebook that has run."""
    records = {name: record_of(path) for name, path in paths.items()}
    return [_source(profile, name, record) for name, record in records.items() if record]


def _not_run(profile: str, judged: Sequence[Verdict]) -> list[str]:
    """The claims without a number, by notebook, in one sentence."""
    missing: dict[str, list[str]] = {}
    for one in judged:
        if one.outcome == "not run":
            missing.setdefault(one.claim.notebook, []).append(one.claim.id)
    if not missing:
        return []
    named = "; ".join(f"{', '.join(ids)} (`{notebook}`)" for notebook, ids in missing.items())
    return [f"Not run under profile `{profile}` yet, as `configs/claims.yaml` words them: {named}."]


def _source(profile: str, name: str, record: Mapping[str, Any]) -> str:
    commit, dirty = (record.get("git") or {}).get("commit"), (record.get("git") or {}).get("dirty")
    code = f"commit `{commit[:10]}`{' with changes' if dirty else ''}" if commit else "code outside git"
    return f"Profile `{profile}`, `{name}`, {record['started'][:10]}, {code}."


def update_readme(
    readme_path: str | Path = "README.md",
    *,
    results_path: str | Path = "results",
    profile: str = "cpu",
    claims_path: str | Path = "configs/claims.yaml",
) -> bool:
    """Rewrite what stands between the claims markers, and nothing else. Returns whether anything changed."""
    table = claims_table(results_path, profile, claims_path=claims_path)
    return put_between(readme_path, table, BEGIN, END)
