"""Are verdicts those that the rules promise?"""

from __future__ import annotations

from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.reporting.claims import Claim, claims_table, load_claims, published, update_readme, verdict
from repro.reporting.run import Run
from repro.types import Estimate

NAN = float("nan")
ROOT = Path(__file__).parents[2]
CLAIMS_PATH = ROOT / "configs" / "claims.yaml"


def claim(test: str) -> Claim:
    return Claim("X", "a beats b", 0.58, "a paper", "01_demo", "winrate.a_vs_b", test)  # type: ignore[arg-type]


def numbers(low: float, high: float, p_holm: float, tost_p: float) -> dict[str, Estimate]:
    def single(value: float) -> Estimate:
        return Estimate(value, NAN, NAN, 100)

    return {
        "winrate.a_vs_b": Estimate((low + high) / 2, low, high, 100),
        "p_holm.a_vs_b": single(p_holm),
        "tost_p.a_vs_b": single(tost_p),
        "tost_bound.a_vs_b": single(0.05),
        "mde.a_vs_b": single(0.08),
        "n_seeds_a.a_vs_b": single(2),
        "n_seeds_b.a_vs_b": single(2),
    }


GREATER, SAME = "greater_than_half", "equivalent_to_half"


@pytest.mark.parametrize(
    ("test", "low", "high", "p_holm", "tost_p", "outcome", "words"),
    [
        (GREATER, 0.52, 0.62, 0.01, 0.90, "supported", "above one half"),
        (GREATER, 0.52, 0.62, 0.20, 0.90, "inconclusive", "0.08 or more"),  # the exact test does not agree
        (GREATER, 0.46, 0.60, 0.40, 0.30, "inconclusive", "0.08 or more"),
        (GREATER, 0.38, 0.48, 0.01, 0.99, "not supported", "below one half"),
        (GREATER, 0.48, 0.53, 0.80, 0.01, "not supported", "within 0.05"),
        (SAME, 0.48, 0.53, 0.80, 0.01, "supported", "within 0.05"),
        (SAME, 0.51, 0.54, 0.01, 0.01, "supported", "within 0.05"),  # different, but by less than the bound
        (SAME, 0.44, 0.58, 0.80, 0.20, "inconclusive", "0.08 or more"),  # a large p alone proves nothing
        (SAME, 0.52, 0.62, 0.01, 0.90, "not supported", "above one half"),
        (SAME, 0.38, 0.48, 0.01, 0.90, "not supported", "below one half"),
    ],
)
def test_verdicts_follow_the_rules(
    test: str, low: float, high: float, p_holm: float, tost_p: float, outcome: str, words: str
) -> None:
    found = verdict(claim(test), numbers(low, high, p_holm, tost_p))
    assert found.outcome == outcome
    assert words in found.reason
    assert found.seeds == "2"


@pytest.mark.parametrize(
    ("low", "high", "outcome", "words"),
    [
        (0.01, 0.20, "supported", "interval above zero"),
        (-0.20, -0.01, "not supported", "interval below zero"),
        (-0.05, 0.10, "inconclusive", "0.08 or more"),
    ],
)
def test_a_difference_is_set_against_zero(low: float, high: float, outcome: str, words: str) -> None:
    gap = Claim("X", "a carries over", None, "a paper", "04_demo", "transfer.a.gap", "greater_than_zero")
    found = verdict(
        gap, {"transfer.a.gap": Estimate((low + high) / 2, low, high, 50), "mde.a.gap": Estimate(0.08, NAN, NAN, 50)}
    )
    assert found.outcome == outcome
    assert words in found.reason
    assert published([gap]) == {}


@pytest.mark.parametrize(
    ("low", "high", "outcome", "words"),
    [
        (0.01, 0.20, "not supported", "interval above zero"),
        (-0.20, -0.01, "supported", "less than 0.05 above zero"),  # no help, but harm
        (-0.02, 0.04, "supported", "less than 0.05 above zero"),
        (-0.05, 0.10, "inconclusive", "0.08 or more"),
    ],
)
@pytest.mark.parametrize(("key", "test", "null"), [("gain.a", "zero", 0.0), ("winrate.a", "half", 0.5)])
def test_that_something_does_not_help(low, high, outcome, words, key, test, null) -> None:
    no_help = Claim("X", "a does not help", None, "a paper", "04_demo", key, f"not_above_{test}")
    low, high = low + null, high + null
    beside = {"mde.a": Estimate(0.08, NAN, NAN, 50), "tost_p.a": Estimate(0.01, NAN, NAN, 50)}
    found = verdict(no_help, {key: Estimate((low + high) / 2, low, high, 50)} | beside)
    assert found.outcome == outcome
    assert words.replace("zero", "zero" if test == "zero" else "one half") in found.reason


@pytest.mark.parametrize(
    ("sides", "seeds", "warned"),
    [((3, 3), "3", False), ((1, 3), "1 v 3", True), ((3, 0), "3", False), ((1, 0), "1", True), ((0, 0), "", False)],
)
def test_seeds_of_both_sides_are_told_and_a_single_one_is_warned_of(
    sides: tuple[int, int], seeds: str, warned: bool
) -> None:
    told = {f"n_seeds_{side}.a_vs_b": Estimate(n, NAN, NAN, 100) for side, n in zip("ab", sides, strict=True)}
    found = verdict(claim(GREATER), numbers(0.44, 0.58, 0.8, 0.2) | told)
    assert found.seeds == seeds
    assert ("one training seed" in found.reason) == warned


@pytest.mark.parametrize(
    ("room", "outcome"),
    [((0.0, 0.0, 0.04), "not testable"), ((0.002, -0.01, 0.02), "not testable"), ((0.4, 0.3, 0.5), "inconclusive")],
)
def test_where_there_was_nothing_to_be_seen_that_is_said(room: tuple[float, float, float], outcome: str) -> None:
    key = Claim("X", "a solves less", 0.17, "a paper", "07_demo", "gain.success", "greater_than_zero")
    found = verdict(key, {"gain.success": Estimate(-0.01, -0.05, 0.01, 50), "room.success": Estimate(*room, 50)})
    assert found.outcome == outcome
    assert ("was there to be seen" in found.reason) == (outcome == "not testable")


def test_a_number_that_is_missing_or_unscored_was_not_run() -> None:
    unscored = {"winrate.a_vs_b": Estimate(NAN, NAN, NAN, 0, 12)}
    assert verdict(claim(GREATER), {}).outcome == verdict(claim(SAME), unscored).outcome == "not run"


def test_a_number_without_its_tests_is_inconclusive() -> None:
    alone = {"winrate.a_vs_b": Estimate(0.6, 0.55, 0.65, 100)}
    assert verdict(claim(GREATER), alone).outcome == "inconclusive"


def test_shipped_claims_are_the_papers() -> None:
    claims = load_claims(CLAIMS_PATH)
    assert published(claims) == {"roleplay_vs_initial": 0.51, "userlm_vs_initial": 0.58, "userlm_vs_roleplay": 0.57}
    assert len({c.id for c in claims}) == len(claims)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {id: A1, txt: typo}", "cannot read the claims"),
        ("nothing: [", "cannot read the claims"),
        ("", "cannot read the claims"),
        (
            "- {id: A, text: t, published: 0.5, source: s, notebook: n, key: winrate.a_vs_b, test: bigger}",
            "no test 'bigger'; have greater_than_half",
        ),
        (
            "- {id: A, text: t, published: half, source: s, notebook: n, key: winrate.a_vs_b, test: greater_than_half}",
            "'half' as its published value; give a number or null",
        ),
        (
            "- {id: A, text: t, published: 0.5, source: s, notebook: n, key: mde.a_vs_b, test: greater_than_half}",
            "tests 'mde.a_vs_b' by greater_than_half; win rates, and only they, have a half",
        ),
        (
            "- {id: A, text: t, published: 0.5, source: s, notebook: n, key: winrate.a_vs_b, test: greater_than_zero}",
            "win rates, and only they, have a half",
        ),
    ],
)
def test_claims_that_cannot_be_read_are_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "claims.yaml").write_text(text)
    with pytest.raises(ReproError, match=words):
        load_claims(tmp_path / "claims.yaml")


def recorded(results_path: Path, notebook: str = "01_main_win_rates") -> None:
    run = Run.start(notebook, params={}, seed=0, profile="smoke", results_path=results_path)
    for key, number in numbers(0.54, 0.64, 0.001, 0.99).items():
        run.number(key.replace("a_vs_b", "userlm_vs_roleplay"), number)
    run.finish()


def test_table_shows_what_was_found_beside_what_was_published(tmp_path: Path) -> None:
    recorded(tmp_path)
    table = claims_table(tmp_path, "smoke", claims_path=CLAIMS_PATH)
    (row,) = (line for line in table.splitlines() if "one trained against a role-playing user" in line)
    assert "| 0.57 | 0.59 [0.54, 0.64], n=100 | 2 | **supported**" in row
    assert row.startswith("| A3: ")
    assert table.count("\n| A") == 1
    assert "Profile `smoke`, `01_main_win_rates`" in table
    missing = table.splitlines()[-1]
    assert missing.startswith("Not run under profile `smoke` yet")
    assert "A1, A2 (`01_main_win_rates`)" in missing
    assert all(c.id in missing for c in load_claims(CLAIMS_PATH) if c.id != "A3")


def test_table_says_so_when_nothing_has_run(tmp_path: Path) -> None:
    table = claims_table(tmp_path, "cpu", claims_path=CLAIMS_PATH)
    assert "| claim |" not in table
    assert all(c.id in table for c in load_claims(CLAIMS_PATH))


def test_readme_changes_only_between_its_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n<!-- claims:begin -->\nthe last table\n<!-- claims:end -->\nrest\n")
    recorded(tmp_path)
    assert update_readme(readme, results_path=tmp_path, profile="smoke", claims_path=CLAIMS_PATH)
    text = readme.read_text()
    assert text.startswith("# Title\n<!-- claims:begin -->\n| claim |")
    assert text.endswith("<!-- claims:end -->\nrest\n")
    assert "the last table" not in text
    assert not update_readme(readme, results_path=tmp_path, profile="smoke", claims_path=CLAIMS_PATH)  # nothing new


@pytest.mark.parametrize("text", ["no markers", "<!-- claims:end --> <!-- claims:begin -->"])
def test_readme_without_markers_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(ReproError, match="claims:begin"):
        update_readme(tmp_path / "README.md", results_path=tmp_path, claims_path=CLAIMS_PATH)
    assert (tmp_path / "README.md").read_text() == text
