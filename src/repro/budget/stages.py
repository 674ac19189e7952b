"""What does each stage of a profile take: conversations, tokens, operations, calls, disk?

All counts come from the profile's settings and are upper bounds: every dialogue as long as it may be, nothing held or
trained before. Training takes 6 operations per weight and token, 4 where an adapter learns on frozen weights; 2 more
where activations are computed twice, and 2 more where vLLM drew the tokens, whose log-probabilities the trainer then
has to compute as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..assumptions import BENCH_TOKENS, LORA_SHARE, N_BENCH
from ..config import Config, SFTConfig
from ..data.intents import SAMPLING as INTENTS
from ..models.usage import CHARACTERS_PER_TOKEN, Usage
from ..scoring.judge import SAMPLING as JUDGE
from ..simulators.registry import ON_A_MODEL
from ..training import names
from ..training.lengths import dialogue_tokens
from ..training.user_recipes import UserLMRecipe
from .notebooks import talks

_STATE = 12  # bytes of a trained weight in a checkpoint: the weight and AdamW's two moments
_KEPT = 2  # checkpoints that lie there while the next is written


@dataclass(frozen=True)
class Stage:
    """What one stage takes at most. `written` and `learned` are tokens, over all epochs; `usage` is of a judge."""

    name: str
    who: str
    n_conversations: int
    written: int = 0
    learned: int = 0
    operations: float = 0.0
    usage: Usage = field(default_factory=Usage)
    gib: float = 0.0


def stages(config: Config, n_parameters: float, recipe: UserLMRecipe | None = None) -> list[Stage]:
    """All of a profile, in order. `recipe` is how a user model is trained on a corpus, where it is."""
    made = [] if config.released else _trained(config, n_parameters)
    asked = [] if recipe is None else _asked(config, recipe)
    return [*made, *_talked(config), *asked]


def _trained(config: Config, n_parameters: float) -> list[Stage]:
    found = []
    for name in names.in_order(config.arms):
        if names.is_assistant(name):
            found.append(_grpo(name, config, n_parameters))
            continue
        how = config.warmup if name == "initial" else config.user_lm
        how = config.healing if names.kind_of(name) not in ("initial", "userlm") else how
        if how is config.healing and not any(stage.name == "role-plays" for stage in found):
            written = how.n_dialogues * dialogue_tokens(config)
            found.append(_said("role-plays", "initial and base", how.n_dialogues, written))
        if name == "userlm":
            written = how.n_dialogues * config.max_turns * config.assistant_max_tokens
            found.append(_said("logs", "initial", how.n_dialogues, written))
        found.append(_sft(name, config, how, n_parameters))
    return found


def _sft(name: str, config: Config, how: SFTConfig, n_parameters: float) -> Stage:
    learned = round(how.n_dialogues * dialogue_tokens(config) * how.num_train_epochs)
    gib = _KEPT * _STATE * n_parameters / 2**30
    each = 6 + 2 * config.train.gradient_checkpointing
    return Stage(name, config.model, how.n_dialogues, 0, learned, each * n_parameters * learned, gib=gib)


def _grpo(name: str, config: Config, n_parameters: float) -> Stage:
    t, user = config.train, names.arm_and_seed(name)[0]
    n = t.steps * t.n_groups * t.group_size
    learned, gib = n * dialogue_tokens(config), (_KEPT + 1) * _STATE * LORA_SHARE * n_parameters / 2**30
    each = 4 + 2 * t.gradient_checkpointing + 2 * (t.engine != "transformers")
    return Stage(name, config.model, n, n * _written(config, user), learned, each * n_parameters * learned, gib=gib)


def _written(config: Config, user: str) -> int:
    """Tokens that models write in a dialogue with this user; scripts cost nothing."""
    speaks = names.kind_of(user) in ON_A_MODEL
    return config.max_turns * (config.assistant_max_tokens + (config.user_max_tokens if speaks else 0))


def _talked(config: Config) -> list[Stage]:
    found = []
    for notebook, held in talks(config).items():
        written = sum(n * _written(config, user) for user, n in held)
        found.append(_said(notebook, "all assistants", sum(n for _, n in held), written))
    return found


def _said(name: str, who: str, n: int, written: int) -> Stage:
    return Stage(name, who, n, written, gib=2 * CHARACTERS_PER_TOKEN * written / 2**30)  # with its keys and marks


def _asked(config: Config, recipe: UserLMRecipe) -> Sequence[Stage]:
    """What a larger model is asked: intents of a corpus, and verdicts on answers to WildBench."""
    n, n_assistants = recipe.n_conversations, 1 + sum(config.arms.values())
    n_answers, length = n_assistants * N_BENCH, config.assistant_max_tokens
    judged = Usage(n_answers, n_answers * (BENCH_TOKENS + length), n_answers * JUDGE.max_tokens)
    return [
        Stage("intents of a corpus", "a judge", n, usage=Usage(n, n * recipe.max_length, n * INTENTS.max_tokens)),
        Stage("answers to WildBench", "all assistants", n_answers, n_answers * length),
        Stage("verdicts (checklist)", "a judge", n_answers, usage=judged),
    ]
