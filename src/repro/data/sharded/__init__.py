"""Which instructions are told in pieces, and how do we know that an answer is right?"""

from .readers import read_gsm8k, read_humaneval, read_lost_in_conversation
from .tasks import Family, ShardedTask, pick, sharded_tasks

__all__ = [
    "Family",
    "ShardedTask",
    "pick",
    "read_gsm8k",
    "read_humaneval",
    "read_lost_in_conversation",
    "sharded_tasks",
]
