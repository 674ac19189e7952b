"""Is every corpus read by the same code, and does nothing that identifies somebody stay in it?"""

from __future__ import annotations

import json

import pytest

from repro.data import load_corpus
from repro.data.corpora import from_rows
from repro.data.schemas import fault, is_address
from repro.errors import ReproError
from repro.types import Turn

from .wildchat import dialogue, row, rows, usable, write


def test_what_is_left_out_is_counted_by_reason(wildchat_path):
    corpus = load_corpus(wildchat_path)
    (step,) = corpus.steps
    assert (step.n_before, step.n_after, len(corpus)) == (200, 168, 168)
    # 14 in French; of 18 broken rows in six kinds, 3 each: two kinds with an empty turn, two without a user at first
    assert step.dropped == {
        "in another language": 14, "an empty turn": 6, "does not begin with the user": 6, "nobody answered": 3,
        "roles do not alternate": 3,
    }  # fmt: skip
    assert str(step).startswith("load: 200 -> 168 (14 in another language")


@pytest.mark.parametrize("how", [{"limit": 500}, {"num_proc": 2}])
def test_streamed_or_by_several_processes_it_is_the_same_corpus(wildchat_path, how):
    one, other = load_corpus(wildchat_path), load_corpus(wildchat_path, **how)
    assert list(one) == list(other)
    assert one.steps == other.steps


def test_parquet_is_read_as_jsonl_is(wildchat_path, tmp_path):
    assert list(load_corpus(write(tmp_path / "same.parquet", rows()))) == list(load_corpus(wildchat_path))


def test_a_limit_counts_rows_that_were_looked_at(wildchat_path):
    assert len(load_corpus(wildchat_path, limit=20)) == 20


def test_a_step_that_was_done_is_found_again(wildchat_path):
    files = [{f["filename"] for f in load_corpus(wildchat_path).rows.cache_files} for _ in range(2)]
    assert files[0] == files[1]


def test_other_languages_and_flags_are_the_callers_choice(wildchat_path):
    everything = load_corpus(wildchat_path, language=None)
    assert len(everything) == 168 + 14
    assert load_corpus(wildchat_path, language=None, toxic=False).steps[0].dropped["flagged as toxic"] == 6


def test_only_dialogue_pseudonym_country_and_language_are_kept(wildchat_path):
    corpus = load_corpus(wildchat_path)
    assert set(corpus.rows.column_names) == {"id", "user_id", "country", "language", "intent", "messages"}
    assert set(corpus.rows[0]["messages"][0]) == {"role", "content"}
    assert "Browser" not in json.dumps(corpus.rows[:])


@pytest.mark.parametrize(
    ("name", "address"),
    [("203.0.113.9", True), ("2001:db8::1", True), ("::1", True), ("1:2:3:4:5:6:7:8", True), ("fr00f00d", False),
     ("a9640b5b-e425", False), ("", False), ("deadbeef" * 8, False)],
)  # fmt: skip
def test_somebody_named_by_an_ip_address_is_recognised(name, address):
    assert is_address(name) == address


def test_an_ip_address_is_never_kept(tmp_path):
    bare = row(7, dialogue(7), user="203.0.113.9", country="Malta")
    corpus = load_corpus(write(tmp_path / "bare.jsonl", [*usable(3), bare]))
    assert corpus.steps[0].dropped == {"whose user is named by an address": 1}
    assert all("203.0.113" not in str(one) for one in corpus.rows)


def test_each_conversation_is_a_task_that_a_person_had(tmp_path):
    said = [
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "Hello."},
    ]  # fmt: skip
    own = {"id": "a", "user_id": "u", "messages": said, "intent": "write a letter"}
    (task,) = load_corpus(write(tmp_path / "own.jsonl", [own]))
    assert (task.id, task.user_id, task.intent) == ("a", "u", "write a letter")
    assert task.human == (Turn("user", "hi"), Turn("assistant", "Hello."))


def test_of_prism_s_answers_the_chosen_one_is_kept(tmp_path):
    def said(role: str, text: str, chosen: bool | None = None) -> dict[str, object]:
        return {"turn": 0, "role": role, "content": text, "if_chosen": chosen}

    history = [said("user", "hi"), said("model", "no", False), said("model", "yes", True), said("user", "bye")]
    (task,) = load_corpus(
        write(
            tmp_path / "p.jsonl", [{"conversation_id": "c", "user_id": "u", "conversation_history": history[:3]}]
        )
    )  # fmt: skip
    assert [turn.text for turn in task.human] == ["hi", "yes"]


def test_without_users_each_conversation_has_one_of_its_own(tmp_path):
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    shared = {"conversation": said, "language": "English"}
    lmsys = [shared | {"conversation_id": f"c{i}", "openai_moderation": [{"flagged": i == 1}]} for i in range(3)]
    path = write(tmp_path / "lmsys.jsonl", lmsys)
    assert len(set(load_corpus(path).users)) == 3
    assert load_corpus(path, toxic=False).column("id") == ["c0", "c2"]


def test_rows_in_memory_are_a_corpus_too():
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    corpus = from_rows([{"messages": said, "id": "a"}, {"messages": said[:1]}])
    assert (corpus.column("id"), corpus.steps[0].dropped) == (["a"], {"nobody answered": 1})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([{"type": "text", "text": "hi"}], "hi"),
        ([{"type": "text", "text": "read this:"}, {"type": "input_text", "text": "a page"}], "read this:\na page"),
        ([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "x"}}], None),
        ([{"type": "text", "text": None}], None),
        (["hi"], None),
        ({"text": "hi"}, None),
        (7, None),
    ],
)
def test_of_parts_the_text_is_read_and_what_is_not_text_is_left_out_and_counted(content, found):
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    other = [{"role": "user", "content": content}, said[1]]
    corpus = from_rows([{"messages": said, "id": "a"}, {"messages": other, "id": "b"}])
    texts = [task.human[0].text for task in corpus]
    assert texts == (["hi"] if found is None else ["hi", found])
    assert corpus.steps[0].dropped == ({"a turn that is not text": 1} if found is None else {})


@pytest.mark.parametrize("said", [["hi"], "hi", 7, [None]])
def test_messages_that_are_no_turns_are_left_out_and_counted(said):
    good = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    corpus = from_rows([{"messages": good, "id": "a"}, {"messages": said, "id": "b"}])
    assert (corpus.column("id"), corpus.steps[0].dropped) == (["a"], {"a turn that is not text": 1})


def test_a_file_of_parts_is_read_as_one_of_text_is(tmp_path):
    def said(role, text):
        return {"role": role, "content": [{"type": "text", "text": text}]}

    path = write(tmp_path / "parts.jsonl", [{"id": "a", "messages": [said("user", "hi"), said("assistant", "Hello.")]}])
    (task,) = load_corpus(path)
    assert task.human == (Turn("user", "hi"), Turn("assistant", "Hello."))
    with pytest.raises(ReproError, match=r"no usable conversation in .* \(1 a turn that is not text\)"):
        load_corpus(write(tmp_path / "words.jsonl", [{"messages": ["hi"]}]))


def test_what_a_dialogue_must_be():
    assert fault([("user", "hi"), ("assistant", "Hello.")]) == ""
    assert fault([("user", "hi"), ("assistant", "Hello."), ("user", "bye")]) == ""  # left unanswered
    assert fault([("user", "hi"), ("tool", "{}")]) == "roles do not alternate"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("nowhere.jsonl", "no file nowhere.jsonl"), ("wildchats", "no corpus 'wildchats'; have wildchat, lmsys, prism"),
     ("prism", "give a revision for HannahRoseKirk/prism-alignment"), ("owner/set", "give a revision for owner/set")],
)  # fmt: skip
def test_a_corpus_that_cannot_be_had_gets_a_sentence(source, sentence):
    with pytest.raises(ReproError, match=sentence):
        load_corpus(source)


def test_a_file_that_is_none_of_these_gets_a_sentence(tmp_path):
    with pytest.raises(ReproError, match="has the columns a, which are of no schema we know"):
        load_corpus(write(tmp_path / "other.jsonl", [{"a": 1}]))
    (tmp_path / "torn.jsonl").write_text('{"messages": [')
    with pytest.raises(ReproError, match=r"torn.jsonl cannot be read"):
        load_corpus(tmp_path / "torn.jsonl")
    with pytest.raises(ReproError, match="no usable conversation"):
        load_corpus(write(tmp_path / "none.jsonl", rows()[-18:]))
