"""Which published claims held here?

`configs/claims.yaml` lists each claim with its published value, its source and the key in numbers.json that tests it.
The rules are fixed before the numbers are seen, and p-values below 0.05 count as small:

| test | supported | not supported | inconclusive |
| --- | --- | --- | --- |
| `greater_than_half` | 95% interval above 0.5 and Holm-adjusted p small | interval below 0.5, or TOST p small | else |
| `equivalent_to_half` | TOST p small | interval without 0.5 | else |
| `greater_than_zero` | 95% interval above 0 | interval below 0 | else |
| `not_above_half`, `not_above_zero` | 95% interval below 0.5, or 0, + 0.05 | interval above 0.5, or 0 | else |

The interval and TOST (a 90% interval within the bounds) count participants and training seeds; the exact p counts
participants. Intervals against 0 stand for themselves: they are not adjusted for how many there are. Inconclusive is
not "no effect": the verdict then says how small an effect the run could have seen. Where `room.<about>`, the most that
a difference could have been, is not above 0 itself, nothing could have been seen, and the claim is not testable: a rule
that came after the first results, and that can only take the place of inconclusive. The tests of A8, B6 and C4 were put
right after their first results, because they did not test what the claims say: CHANGELOG.md has before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from repro.errors import ReproError
from repro.reporting.record import is_complete, load_numbers, put_between, record_of
from repro.types import Estimate

Test = Literal["greater_than_half", "equivalent_to_half", "greater_than_zero", "not_above_half", "not_above_zero"]
Outcome = Literal["supported", "not supported", "inconclusive", "not testable", "not run"]

ALPHA = 0.05
NOT_MORE = 0.05  # of a share: what `not_above` lets pass for nothing. ours: the bound of the TOST as well
SEEN = (1.960 + 0.842) / (2 * 1.960)  # of the width of a 95% interval: the effect that is found four times in five
BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
MISSING = Estimate(float("nan"), float("nan"), float("nan"), 0)
ONE_SEED = "; one training seed, so it is about what was trained, not about the way to train it"


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
        if self.key.startswith("winrate.") == self.of_zero or "." not in self.key:
            raise ReproError(
                f"claim {self.id} tests {self.key!r} by {self.test}; win rates, and only they, have a half"
            )

    @property
    def of_zero(self) -> bool:
        """Whether no effect is 0, as of a difference; else it is one half."""
        return self.test.endswith("_zero")

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
    seeds: str  # training seeds behind the number: "3", or "1 v 3" where two sides differ; "" if that is not known


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
    found = numbers.get(claim.key, MISSING)
    if found.n == 0:
        return Verdict(claim, "not run", found, "no number yet", "")

    def beside(name: str) -> Estimate:
        return numbers.get(f"{name}.{claim.about}", MISSING)

    outcome, reason = _outcome(claim, found, beside)
    seeds = _seeds(beside)
    return Verdict(claim, outcome, found, reason + (ONE_SEED if "1" in seeds else ""), " v ".join(seeds))


def _outcome(claim: Claim, found: Estimate, beside: Callable[[str], Estimate]) -> tuple[Outcome, str]:
    null, named = (0.0, "zero") if claim.of_zero else (0.5, "one half")
    above, below = found.low > null, found.high < null
    if claim.test.startswith("not_above"):
        return _not_above(found, null, named, beside)
    if above and claim.of_zero:
        return "supported", "interval above zero"
    if above and claim.test == "greater_than_half" and beside("p_holm").value < ALPHA:
        return "supported", "interval above one half, exact test agrees"
    if beside("tost_p").value < ALPHA:
        shown = f"shown to be within {beside('tost_bound').value:.2f} of one half (p = {beside('tost_p').value:.2g})"
        return ("supported" if claim.test == "equivalent_to_half" else "not supported"), shown
    if below or (above and claim.test == "equivalent_to_half"):
        return "not supported", f"interval {'below' if below else 'above'} {named}"
    return _nothing_seen(found, beside)


def _not_above(found: Estimate, null: float, named: str, beside: Callable[[str], Estimate]) -> tuple[Outcome, str]:
    """A claim that something does not help; it may do harm."""
    if found.low > null:
        return "not supported", f"interval above {named}"
    if found.high < null + NOT_MORE:
        return "supported", f"shown to be less than {NOT_MORE} above {named}"
    return _nothing_seen(found, beside)


def _nothing_seen(found: Estimate, beside: Callable[[str], Estimate]) -> tuple[Outcome, str]:
    """Could the run have seen something, and how much?"""
    room, mde = beside("room"), beside("mde").value
    if room.low <= 0:
        return "not testable", f"at most {room} was there to be seen"
    mde = mde if mde == mde else SEEN * (found.high - found.low)
    seen = f"an effect of {mde:.2g} or more would have been seen"
    return "inconclusive", seen if mde > 0 else "no spread to judge by"


def _seeds(beside: Callable[[str], Estimate]) -> list[str]:
    """Training seeds of the number, or of each side of a pair that was trained; one number if both have as many."""
    sides = (beside(name).value for name in ("n_seeds", "n_seeds_a", "n_seeds_b"))
    return [*dict.fromkeys(f"{n:.0f}" for n in sides if n > 0)]


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
    return f"| {claim} | {published} | {value} | {found.seeds or '-'} | {outcome} |"


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
