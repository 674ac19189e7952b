"""Which token says that the user leaves?

`<|endconversation|>`, a new special token whose embedding begins as that of the end-of-sequence token (arXiv
2605.09808, 2510.06552). A base checkpoint has no chat template: it is given `templates/llama3.jinja` or
`templates/chatml.jinja`, whichever has its marks in the vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ReproError
from .chat import END_OF_CONVERSATION

_MARKS = {"llama3": "<|start_header_id|>", "chatml": "<|im_start|>"}


def user_tokenizer(name: str) -> Any:
    """The tokenizer of `name` ("smollm2", "tiny", a folder or a hub id) as a user language model has it."""
    from .local import load_tokenizer

    return with_end_of_conversation(load_tokenizer(name))


def with_end_of_conversation(tokenizer: Any) -> Any:
    """The tokenizer, changed in place: with the token, and with a chat template where it had none."""
    from tokenizers import AddedToken

    if not getattr(tokenizer, "chat_template", None):
        tokenizer.chat_template = _template(tokenizer)
    if END_OF_CONVERSATION not in tokenizer.get_vocab():
        tokenizer.add_tokens([AddedToken(END_OF_CONVERSATION, special=True, normalized=False)], special_tokens=True)
    return tokenizer


def fit_embeddings(model: Any, tokenizer: Any) -> bool:
    """Make room in `model` for all of the tokenizer; whether there was none. A matrix with rows to spare keeps them."""
    n_rows: int = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) <= n_rows:
        return False
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return True


def begin_as_end_of_sequence(model: Any, tokenizer: Any) -> None:
    """Give the end of a conversation the embedding, and the output row, of the end-of-sequence token."""
    import torch

    fit_embeddings(model, tokenizer)
    new, old = tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION), tokenizer.eos_token_id
    with torch.no_grad():
        for matrix in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            matrix[new] = matrix[old]


def _template(tokenizer: Any) -> str:
    vocabulary = tokenizer.get_vocab()
    for name, mark in _MARKS.items():
        if mark in vocabulary:
            return (Path(__file__).parent / "templates" / f"{name}.jinja").read_text("utf-8").strip()
    raise ReproError("this tokenizer has no chat template and the marks of none that we know; give it a template")
