from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.study.design import DEMO, design_of, load_design

from .conftest import STUDY


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "no setting 'colour' in the test; have name, title"),
        ({"consent": None}, "consent is None"),
        ({"minutes": "60"}, "minutes is '60'"),
        ({"minutes": 0}, "minutes is 0 in study 'small'; it has to be 1 or more"),
        ({"assistants": {"one": {}}}, "has 1 assistants; people compare two or more"),
        ({"assistants": {"one/../x": {}, "two": {}}}, "'one/../x' is no name"),
        ({"pairs": [["plain", "nobody"]]}, "no pair plain, nobody; pair two of plain, tuned, other"),
        ({"pairs": [["plain", "tuned"], ["tuned", "plain"]]}, "a pair is listed twice"),
        ({"comparisons": 4}, "comparisons is 4; nobody sees one of 3 pairs twice"),
        ({"tasks": STUDY["tasks"][:2]}, "2 tasks for 3 comparisons"),
        ({"tasks": [STUDY["tasks"][0]] * 3}, "two tasks have one id"),
        ({"min_turns": 9}, "min_turns is 9 and max_turns 6"),
        ({"layout": "stacked"}, "layout is 'stacked'"),
        ({"completion_url": "javascript:alert(1)"}, "has to begin with https://"),
        ({"sampling": {"temperature": -1.0}}, "need temperature >= 0"),
        ({"checks": [{"question": "?", "options": ["a"], "answer": "b"}]}, "the answer 'b' is not among the options"),
        (
            {"checks": [{"question": "?", "options": ["a"], "answer": "a", "after": 9}]},
            "comes after 9 votes; there are 3",
        ),
    ],
)
def test_a_study_that_cannot_be_costs_one_sentence(change, words):
    with pytest.raises(ReproError) as caught:
        design_of({**STUDY, **change}, "the test")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a\n- b", "has to hold settings"), ("a: [", "is not YAML"), ("name: x", "does not set title")],
)
def test_a_file_that_is_no_study_says_so(tmp_path, text, words):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ReproError, match=words):
        load_design(tmp_path / "s.yaml")
    with pytest.raises(ReproError, match=r"cannot read the study .*missing\.yaml"):
        load_design(tmp_path / "missing.yaml")


def test_the_demonstration_compares_released_assistants_on_tasks_they_were_not_trained_on(root):
    design = load_design(DEMO)
    assert design.n_comparisons == len(design.all_pairs) == 3
    folders = [folder for spec in design.assistants.values() for folder in spec.adapters]
    assert all((root / folder / "adapter_config.json").is_file() for folder in folders)
    assert len(design.cards) == design.generated_tasks
    assert all("/eval/" in task for task in design.cards)


def test_a_card_says_what_is_wanted_and_not_that_it_is_a_prompt():
    card = next(iter(load_design(DEMO).cards.values()))
    assert card.title.startswith("Get help writing ")
    assert all(": " in line for line in card.text.splitlines())
    assert "You are a user" not in card.title + card.text
