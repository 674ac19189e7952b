"""Does the comparison of reference users with people count what it says, on conversations made up here?"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from repro.errors import ReproError
from repro.rollouts.store import TrajectoryStore
from repro.types import Requirement, Task, Trajectory, Turn

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "compare_population.py"


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_population", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def talk(*texts: str, wanted: tuple[Requirement, ...] = (), user: str = "u", stop: str = "user_ended") -> Trajectory:
    """A dialogue whose turns alternate, the user first; the last turn ends it if it is the user's."""
    turns = [Turn("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    return Trajectory(Task(user, user, "to write a note", wanted), tuple(turns), user, "", 0, stop)  # type: ignore[arg-type]


WISH = Requirement("wish", "words", "the red boat on the lake", "a wish")
PLACE = Requirement("place", "place", "Hill Hall", "the place")


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """Two people: one says thanks, one falls silent."""
    rows = [
        {
            "user_id": "ann",
            "intent": "to write a poem",
            "private_context": [{"question": "What about?", "answer": "the lake"}, {"question": "?", "answer": " "}],
            "messages": [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": "What is it about?"},
                {"role": "user", "content": "A lake"},
                {"role": "assistant", "content": "Water, water everywhere."},
                {"role": "user", "content": "Great, thanks!"},
                {"role": "assistant", "content": "You are welcome."},
            ],
        },
        {"messages": [{"role": "user", "content": "write a poem please"}, {"role": "assistant", "content": "Roses."}]},
    ]
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_file_of_messages_becomes_dialogues_with_wishes_for_requirements(compare, made_up):
    ann, other = compare.people(made_up)
    assert ann.task.user_id == "ann"
    assert [r.value for r in ann.task.requirements] == ["the lake"]  # an empty answer is no wish
    assert [compare.ending(ann), compare.ending(other)] == ["thanks", "silent"]
    assert other.task.user_id != "ann"


@pytest.mark.parametrize(
    ("texts", "stop", "how"),
    [
        (["write it", "Done.", "thx, that works"], "user_ended", "thanks"),
        (["write it, thanks", "Done."], "user_ended", "silent"),  # thanks in advance
        (["write it", "Done.", "great, can you make it longer?", "Done."], "user_ended", "silent"),
        (["write it", "Done.", "nvm"], "user_ended", "words"),
        (["write it", "Done.", "longer", "Done."], "max_turns", "cut off"),
        (["write it", "Done.", "longer", "Done.", ""], "user_ended", "silent"),
    ],
)
def test_an_ending_is_thanks_silence_other_words_or_the_limit(compare, texts, stop, how):
    assert compare.ending(talk(*texts, stop=stop)) == how


def test_one_content_word_is_enough_for_the_proxy_and_half_of_them_for_the_strict_one(compare):
    task = talk("x", wanted=(WISH,)).task  # content words: red, boat, lake
    assert compare.stated(["A BOAT!"], task) == [1.0]
    assert compare.stated(["A BOAT!"], task, share=0.5) == [0.0]  # 1 of 3
    assert compare.stated(["boats on lakes"], task, share=0.5) == [1.0]  # 2 of 3; a plural s does not matter
    assert compare.stated(["on the"], task) == [0.0]


def test_an_item_without_content_words_of_its_own_is_unscored(compare):
    task = talk("x", wanted=(Requirement("w", "words", "write the note", ""),)).task  # all in the intent
    assert math.isnan(compare.stated(["a note"], task)[0])


def test_news_counts_only_the_first_time_and_is_split_by_whether_it_was_asked_for(compare):
    t = talk("hi", "What is in it?", "a boat", "Here is a text about it.", "the boat is big", "Ok.", wanted=(WISH,))
    assert compare.brings_news(t, asked=True) == [1.0]
    assert compare.brings_news(t, asked=False) == [0.0]


def test_an_answer_states_what_was_asked_by_name(compare):
    asked = "Where is it?"
    assert compare.answered(talk("a note", asked, "at Hill Hall", "Ok.", wanted=(PLACE,))) == [1.0]
    assert compare.answered(talk("a note", asked, "you choose", "Ok.", wanted=(PLACE,))) == [0.0]
    assert compare.answered(talk("a note for Hill Hall", asked, "I said so", "Ok.", wanted=(PLACE,))) == []
    assert compare.answered(talk("hi", asked, "a boat", "Ok.", wanted=(WISH,))) == []  # no checker reads it


def test_a_slip_is_one_keystroke_from_a_known_word(compare):
    known = frozenset(["write", "letter", "flower"])
    t = talk("wriite my leter with a flwoer and a banana and a write")
    # of five letters or more: wriite (slip), leter (slip), flwoer (slip), banana, write
    assert compare.slips(t, known) == [100.0, 100.0, 100.0, 0.0, 0.0]


def test_words_are_known_from_assistants_that_can_spell(compare):
    model = talk("hi", "Tihs is smoe text.")
    person = replace(talk("helo", "This is some text."), user="people")
    assert compare.vocabulary([model, person]) == {"this", "is", "some", "text"}


def test_quantiles_go_over_turns_and_intervals_over_users(compare):
    found = compare.quantile([talk("a b", "x", "a b c d"), talk("a", user="v")], compare.n_words, 0.5)
    assert (found.value, found.n, found.n_clusters) == (2.0, 3, 2)  # of 1, 2, 4
    assert 1.0 <= found.low <= found.value <= found.high <= 4.0


def test_the_difference_of_first_turns_is_the_mean_over_pairs(compare):
    dialogues = [talk("a b", user="1"), talk("a c", user="2"), talk("d", user="3")]
    # pairs: {a,b},{a,c} 2/3; {a,b},{d} 1; {a,c},{d} 1: mean 8/9
    assert compare.difference(dialogues).value == pytest.approx(8 / 9)


def test_the_first_part_of_a_dialogue_is_what_a_limit_leaves(compare):
    (whole,) = compare.reference_dialogues(1, seed=3)
    assert whole.stop == "user_ended"
    assert compare.first_part(whole, 12) == whole
    t = talk("a", "b", "c", "d", "e")
    cut = compare.first_part(t, 1)
    assert ([turn.text for turn in cut.turns], cut.stop) == (["a", "b"], "max_turns")


def test_the_table_has_a_column_for_each_population_and_a_dash_where_nothing_is_known(
    compare, made_up, tmp_path, capsys
):
    store = TrajectoryStore(tmp_path / "saved.jsonl")
    store.append({("u", 0): talk("write it", "Done.", "thanks", wanted=(PLACE,))})
    assert compare.main([str(made_up), "--n", "3", "--dialogues", str(store.path)]) == 0
    head, rule, *rows = capsys.readouterr().out.strip().splitlines()
    assert head.split(" | ")[1] == "reference users, model"
    assert {line.count("|") for line in (head, rule, *rows)} == {6}
    cells = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ")[1:] for row in rows}
    assert cells["user turns per conversation"][0].startswith("2.00 ")
    assert cells["user turns per conversation"][3].startswith("2.00 ")  # ann 3, the other 1
    assert cells["wanted, said in turn 1: exact"][3] == "-"
    assert "lake" not in "".join(rows)  # aggregates only


@pytest.mark.parametrize("text", ["", "not json\n", '{"text": "no messages"}\n', '{"messages": ["hello"]}\n'])
def test_a_file_without_conversations_is_answered_with_one_sentence(compare, tmp_path, text):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(ReproError, match=r"bad\.jsonl.*`messages`"):
        compare.people(path)


def test_a_missing_file_ends_the_script_with_one_line_and_no_table(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "none.jsonl"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "none.jsonl" in done.stderr
