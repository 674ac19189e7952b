"""How does a language model learn to be a user?

Fine-tuned on flipped conversations (`repro.data.flip`) with TRL's SFTTrainer, all of its weights as in arXiv 2605.09808
and 2510.06552, or a LoRA adapter. The token that ends a conversation is new; its embedding begins as that of the
end-of-sequence token and is trained and saved with the rest, in an adapter as well, so that the folder alone is enough:
`LocalModel.from_pretrained(out_dir)`. `checkpoint.json` is written last: where it stands, training was finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..models.chat import END_OF_CONVERSATION
from ..models.hashes import digest
from ..models.local import LocalModel, load_weights
from ..models.vocabulary import begin_as_end_of_sequence, user_tokenizer
from ..provenance import git_state, packages
from . import checkpoints, identity
from .lora import LINEAR
from .sft import train_rows
from .user_recipes import UserLMRecipe

WORK = "steps"  # the folder of a run's own checkpoints
_PACKAGES = ("python", "torch", "transformers", "trl", "peft", "datasets")


def train_user_lm(
    rows: Any, *, base: str, config: UserLMRecipe, out_dir: str | Path, resume_from: str | Path | None = None,
    record: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Train `base` on `rows` (what `flip` returns, or dicts of `input_ids` and `labels`); `out_dir`, with the model.

    A run that was stopped goes on from its last checkpoint, or from `resume_from`; one that is finished is left alone.
    What lies in `out_dir` of other rows or another recipe is an error. `record` is added to `checkpoint.json`.
    """
    out, recipe = Path(out_dir), replace(config, base=base)
    tokenizer = user_tokenizer(base)
    made_from = {**asdict(recipe), "rows": _checked(rows, tokenizer)}
    identity.check_begun(out / WORK, made_from)
    if not checkpoints.is_finished(out):
        model = _start(recipe, tokenizer)
        trainer = train_rows(
            rows, model=model, tokenizer=tokenizer, recipe=recipe.sft, folder=out / WORK,
            resume_from=Path(resume_from) if resume_from else None,
        )  # fmt: skip
        _save(trainer, out, adapter=bool(recipe.lora_r))
        if trainer.is_world_process_zero():
            _finish(out, recipe, tokenizer, {"n_rows": len(rows), "made_from": made_from, **(record or {})})
        trainer.accelerator.wait_for_everyone()
    return out


def _checked(rows: Any, tokenizer: Any) -> str:
    """The hash of what rows say, in order; raises where they cannot have been made with this tokenizer."""
    leave, n_whole, largest = tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION), 0, -1
    hashes = []
    for row in rows:
        n_whole += leave in row["labels"] or bool(row.get("cut"))
        largest = max(largest, *row["input_ids"])
        hashes.append(digest([list(row["input_ids"]), list(row["labels"])]))
    if not hashes:
        raise ReproError("no rows; there is nothing to train on")
    if not n_whole or largest >= len(tokenizer):
        what = "no row holds the end of a conversation" if not n_whole else "rows hold tokens that the base lacks"
        raise ReproError(f"{what}; make rows with flip and the user_tokenizer of this base")
    return digest(hashes)


def untrained(base: str, *, dtype: str = "bfloat16") -> LocalModel:
    """What training starts from: the base with the new token."""
    model, _ = load_weights(base, dtype=dtype)
    tokenizer = user_tokenizer(base)
    begin_as_end_of_sequence(model, tokenizer)
    return LocalModel(model, tokenizer, name=base)


def _start(recipe: UserLMRecipe, tokenizer: Any) -> Any:
    """The base in float32 with the new token; with an adapter around it if that is what learns."""
    model = untrained(recipe.base, dtype="float32").model
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    if not recipe.lora_r:
        return model
    return _with_adapter(model, recipe, tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION))


def _with_adapter(model: Any, recipe: UserLMRecipe, new: int) -> Any:
    """LoRA on the linear layers, and the new token's own rows of the embedding and of the output."""
    import torch
    from peft import LoraConfig, get_peft_model

    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    tokens: Any = [new] if tied else {"embed_tokens": [new], "lm_head": [new]}
    config = LoraConfig(
        r=recipe.lora_r, lora_alpha=2 * recipe.lora_r, target_modules=LINEAR, task_type="CAUSAL_LM",
        trainable_token_indices=tokens,
    )  # fmt: skip
    torch.manual_seed(recipe.seed)  # PEFT draws the A matrices from the global generator
    return get_peft_model(model, config)


def _save(trainer: Any, out: Path, *, adapter: bool) -> None:
    """The weights; gathered where they lie on several devices. Of the embeddings an adapter keeps the new row alone."""
    if adapter and not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        if trainer.is_world_process_zero():
            trainer.model.save_pretrained(out, save_embedding_layers=False)
    else:
        trainer.save_model(str(out))


def _finish(out: Path, recipe: UserLMRecipe, tokenizer: Any, record: dict[str, Any]) -> None:
    """Tokenizer, model card, and last of all the record."""
    tokenizer.save_pretrained(out)
    if recipe.lora_r:
        checkpoints.name_base(out / "adapter_config.json", checkpoints.HUB_IDS.get(recipe.base, recipe.base))
    (out / "README.md").write_text(card(out.name, recipe, record), "utf-8")
    versions = packages()
    record |= {
        "name": out.name, "base": recipe.base, "recipe": asdict(recipe), "commit": git_state(),
        "packages": {k: versions[k] for k in _PACKAGES if k in versions},
    }  # fmt: skip
    staging = out / "checkpoint.json.part"
    staging.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    staging.rename(out / "checkpoint.json")


def card(name: str, recipe: UserLMRecipe, record: Mapping[str, Any]) -> str:
    """A model card: what it is, what it learned from, how to load it, what it is not for."""
    base = checkpoints.HUB_IDS.get(recipe.base, recipe.base)
    what = f"A LoRA adapter (rank {recipe.lora_r})" if recipe.lora_r else "All weights of the model"
    steps: Sequence[str] = record.get("steps", ())
    corpus = "\n".join(f"- {step}" for step in steps) or f"- {record['n_rows']:,} conversations"
    return f"""---
base_model: {base}
library_name: {"peft" if recipe.lora_r else "transformers"}
pipeline_tag: text-generation
tags: [user-simulation]
---
# {name}

A user language model: it writes what the *user* of an assistant would say next. {what}, trained from `{base}` on
flipped conversations, the loss on the user's turns and on `{END_OF_CONVERSATION}` alone (arXiv 2605.09808, 2510.06552).

What it learned from:

{corpus}

{recipe.num_train_epochs:g} epochs, {recipe.batch_size} conversations a step of at most {recipe.max_length} tokens,
learning rate {recipe.learning_rate:g} to {recipe.min_learning_rate:g}. All settings are in `checkpoint.json`.

```python
from repro.models import LocalModel
from repro.simulators import UserLM

user = UserLM(LocalModel.from_pretrained("{name}"))
```

The system turn is one sentence that begins "You are a user chatting with an assistant language model to". Sample at
temperature 1 and top_p 0.8, and forbid what a user would not do (`repro.simulators.Guardrails`).

Made to study how assistants deal with users. It is no substitute for studies with people, and may repeat what people in
its corpus wrote: mind the corpus's licence and its rules on personal data before passing the model on.
"""
