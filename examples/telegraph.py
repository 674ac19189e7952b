"""A user who counts words as if each cost money: an example of a simulator that is not one of ours.

repro simulators check examples/telegraph.py:Telegraph
make reproduce NB=10_your_simulator SIMULATOR=examples/telegraph.py:Telegraph
"""

from random import Random

from repro import Turn
from repro.data.acts import asked_keys, draft_of
from repro.data.requirements import meets
from repro.seeds import derive


class Telegraph:
    """Says what it wants in two words, answers what it is asked, and leaves once the draft will do."""

    name = "telegraph"

    def reply(self, tasks, dialogues, *, seed):
        return [self._turn(t, d, Random(derive(seed, t.id, len(d)))) for t, d in zip(tasks, dialogues, strict=True)]

    def _turn(self, task, dialogue, draw):
        if not dialogue:
            return Turn(
                "user",
                f"need {task.intent.rpartition('writing ')[2].rstrip('.')}. {draw.choice(['quick', 'today', 'pls'])}",
            )
        heard = dialogue[-1].text
        asked = [r.value for r in task.requirements if r.key in asked_keys(heard, task)]
        if asked:
            return Turn("user", ". ".join(asked))
        missing = [r.value for r in task.requirements if not meets(r, draft_of(heard))]
        return Turn("user", f"add {draw.choice(missing)}") if missing else Turn("user", "ok", ends=True)
