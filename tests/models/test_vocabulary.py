"""Does a model get a token for leaving that begins as its end-of-sequence token?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.models import user_tokenizer
from repro.models.chat import END_OF_CONVERSATION, ChatFormat
from repro.models.tiny import tiny_model, tiny_tokenizer
from repro.models.vocabulary import begin_as_end_of_sequence, fit_embeddings, with_end_of_conversation
from repro.types import Turn

from ..families import family_tokenizer

torch = pytest.importorskip("torch")


def test_the_token_is_one_token_and_closes_the_conversation():
    tokenizer = user_tokenizer("tiny")
    new = tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION)
    assert new == len(tiny_tokenizer())  # after all that were there
    assert ChatFormat(tokenizer).closed(Turn("user", "", ends=True)) == [new]
    assert tokenizer.decode([new], skip_special_tokens=True) == ""


def test_it_is_added_once_and_the_other_special_tokens_stay():
    tokenizer = user_tokenizer("tiny")
    before = set(tokenizer.all_special_tokens)
    assert len(with_end_of_conversation(tokenizer)) == len(tiny_tokenizer()) + 1
    assert set(tokenizer.all_special_tokens) == before >= {"<|im_end|>"}


def test_its_embedding_begins_as_that_of_the_end_of_sequence():
    model, tokenizer = tiny_model()
    before = model.get_input_embeddings().weight.clone()
    begin_as_end_of_sequence(model, with_end_of_conversation(tokenizer))
    new = tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION)
    for matrix in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        assert torch.equal(matrix[new], matrix[tokenizer.eos_token_id])
    assert torch.equal(model.get_input_embeddings().weight[:-1], before)


def test_a_matrix_with_rows_to_spare_is_never_cut():
    model, tokenizer = tiny_model()
    model.resize_token_embeddings(300)
    assert not fit_embeddings(model, tokenizer)
    assert model.get_input_embeddings().weight.shape[0] == 300


@pytest.mark.parametrize("name", ["smollm2", "qwen2.5", "llama-3"])
def test_a_base_checkpoint_is_given_the_template_of_its_marks(name):
    base = with_end_of_conversation(family_tokenizer(name, template=False))
    messages = [{"role": "system", "content": "Be."}, {"role": "user", "content": "hi"}]
    texts = {t.apply_chat_template(messages, tokenize=False, add_generation_prompt=g)
             for t in (base, family_tokenizer(name)) for g in (True,)}  # fmt: skip
    assert len(texts) == 1  # as the family's own instruct models write it


def test_marks_that_nobody_knows_get_a_sentence():
    tokenizer = tiny_tokenizer(("<eos>",))
    tokenizer.chat_template = None
    with pytest.raises(ReproError, match="give it a template"):
        with_end_of_conversation(tokenizer)
