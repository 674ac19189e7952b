"""Do the tokens that are learned say what the user said, and where they left, in every family's format?"""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.data import deduplicate, flip, load_corpus, split_by_user
from repro.data.corpora import from_rows
from repro.data.flip import IGNORED, flipped, labelled, left
from repro.data.intents import stated
from repro.errors import ReproError
from repro.models.chat import END_OF_CONVERSATION, ChatFormat
from repro.models.vocabulary import with_end_of_conversation
from repro.types import Task, Turn

from ..families import FAMILIES, family_tokenizer

ENDS = {"smollm2": "<|im_end|>", "qwen2.5": "<|im_end|>", "llama-3": "<|eot_id|>"}
CHATS = {name: ChatFormat(with_end_of_conversation(family_tokenizer(name))) for name in FAMILIES}
INTENT = "You are a user chatting with an assistant language model to get help."
said = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)


def learned(row) -> list[list[int]]:
    """The runs of tokens that have a label."""
    runs = groupby(row["labels"], key=lambda label: label != IGNORED)
    return [list(run) for on, run in runs if on]


@pytest.mark.parametrize("name", FAMILIES)
@given(users=st.lists(said, min_size=1, max_size=4))
def test_what_is_learned_decodes_to_the_users_words_their_end_tokens_and_the_leave(name, users):
    chat = CHATS[name]
    turns = [turn for text in users for turn in (Turn("user", text), Turn("assistant", "Here <|im_end|> you are."))]
    row = labelled(flipped(Task("t", "u", INTENT), left(turns)), role="user", chat=chat)
    texts = [chat.tokenizer.decode(run) for run in learned(row)]
    assert texts == [*(f"{text}{ENDS[name]}" for text in users), END_OF_CONVERSATION]
    assert all(label in (IGNORED, token) for label, token in zip(row["labels"], row["input_ids"], strict=True))
    assert row["input_ids"][-1] == chat.end_of_conversation


@pytest.mark.parametrize("name", FAMILIES)
def test_the_row_reads_as_the_familys_own_template_writes_it(name):
    chat = CHATS[name]
    turns = [Turn("system", INTENT), Turn("user", "hi"), Turn("assistant", "Yes?"), Turn("user", "bye")]
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    rendered = chat.tokenizer.apply_chat_template(messages, tokenize=False).rstrip("\n")
    row = labelled(turns, role="user", chat=chat)
    assert chat.tokenizer.decode(row["input_ids"]) == rendered
    assert "You are SmolLM" not in rendered
    assert "You are Qwen" not in rendered


def test_a_person_who_leaves_with_a_word_ends_in_it():
    assert left([Turn("user", "hi"), Turn("assistant", "Yes?"), Turn("user", "no")])[-1] == Turn(
        "user", "no", ends=True
    )
    assert left([Turn("user", "hi"), Turn("assistant", "Yes?")])[-1] == Turn("user", "", ends=True)


def corpus(n: int = 3):
    turns = [{"role": "user", "content": "hi there"}, {"role": "assistant", "content": "Hello."}]
    return from_rows([{"id": f"c{i}", "messages": turns, "intent": INTENT} for i in range(n)])


def test_rows_keep_their_order_and_say_whose_they_are():
    rows = flip(corpus(), tokenizer=CHATS["qwen2.5"].tokenizer)
    assert rows["id"][:] == ["c0", "c1", "c2"]
    assert rows["cut"][:] == [False] * 3


def test_a_long_row_loses_its_end_and_says_so():
    whole = flip(corpus(1), tokenizer=CHATS["llama-3"].tokenizer)[0]
    n = len(whole["input_ids"]) - 1
    (short,) = flip(corpus(1), tokenizer=CHATS["llama-3"].tokenizer, max_length=n)
    assert short["input_ids"] == whole["input_ids"][:n]
    assert short["cut"]
    assert len(flip(corpus(1), tokenizer=CHATS["llama-3"].tokenizer, max_length=5)) == 0  # nothing left to learn


def test_a_conversation_without_an_intent_gets_a_sentence():
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    with pytest.raises(ReproError, match="1 of 1 conversations have no intent"):
        flip(from_rows([{"messages": turns}]), tokenizer=CHATS["smollm2"].tokenizer)


def test_a_tokenizer_that_cannot_leave_gets_a_sentence():
    tokenizer = family_tokenizer("llama-3")
    with pytest.raises(ReproError, match="no token for the end of a conversation"):
        flip(corpus(), tokenizer=tokenizer)


def test_another_tokenizer_is_not_given_the_rows_of_this_one():
    one, other = (flip(corpus(1), tokenizer=CHATS[name].tokenizer)[0] for name in ("smollm2", "llama-3"))
    assert one["input_ids"] != other["input_ids"]


@pytest.mark.parametrize("num_proc", [1, 2])
def test_from_a_wildchat_file_to_rows(wildchat_path, num_proc):
    parts = split_by_user(deduplicate(stated(load_corpus(wildchat_path)), max_count=10))
    chat = CHATS["qwen2.5"]
    for part in parts.values():
        rows = flip(part, tokenizer=chat.tokenizer, num_proc=num_proc)
        assert rows["id"][:] == part.column("id")
        for row, task in zip(rows, part, strict=True):
            *words, leave = learned(row)
            users = [turn.text for turn in task.human if turn.role == "user"]
            assert [chat.tokenizer.decode(run) for run in words] == [f"{text}<|im_end|>" for text in users]
            assert leave == [chat.end_of_conversation]
