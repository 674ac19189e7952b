"""What does a plan take for granted?

Every number of it that no setting gives, in one place, with its source. Rates and prices are printed with the plan and
can be given on the command line: look them up before you spend.
"""

from __future__ import annotations

from .models.usage import Price

PEAK = 989e12  # bfloat16 operations a second of an H100 (data sheet)
USED = 0.4  # the share of it that training reaches. ours
USED_TALKING = 0.05  # the share that decoding reaches, many dialogues at once: memory is the limit. ours
DEVICE_GIB = 80  # of an H100 (data sheet)
GPU_HOUR = 3.0  # dollars of an H100-hour. ours: rented ones cost about two to four
JUDGE_PRICE = Price(2.5, 10.0)  # dollars per million tokens. ours: about what large models of companies cost
LORA_SHARE = 0.02  # of a model's weights that an adapter adds. ours: rank 64 on all linear layers of a 14B model
N_BENCH = 1024  # tasks of WildBench v2 (its card)
BENCH_TOKENS = 1000  # of a task with its history, its checklist and what the judge is told. ours
HUB_TIMEOUT = 5.0  # seconds. ours


def tokens_per_second(n_parameters: float) -> float:
    """How fast one GPU writes with a model of that size: 2 operations a weight and token."""
    return PEAK * USED_TALKING / (2 * n_parameters)
