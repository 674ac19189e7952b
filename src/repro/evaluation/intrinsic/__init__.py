"""Does a simulator talk as users do?

The measures of arXiv 2510.06552, taken of any simulator and of users alike. Some need dialogues that it held:
how different first turns are, how much of the intent each turn says, whether turns pass for a user's. Others put it in
the user's place at points of dialogues that users held, so that all are asked the same: how surprised it is by what the
user said, whether it leaves where the user left, whether it can be talked out of its role or its intent. A user who is
drawn again is the ceiling of these.
"""

from repro.evaluation.intrinsic.adherence import (
    Probe,
    intent_adherence,
    intent_kept,
    keeps_intent,
    left,
    load_probes,
    probed,
    role_adherence,
    role_change,
    role_kept,
    unprobed,
)
from repro.evaluation.intrinsic.endings import end_times, ending, reactions, termination_f1
from repro.evaluation.intrinsic.judged import kept_by_judge
from repro.evaluation.intrinsic.manner import manner
from repro.evaluation.intrinsic.moments import Moment, in_their_place, moments_of
from repro.evaluation.intrinsic.naturalness import Detector, detected, naturalness
from repro.evaluation.intrinsic.parts import Parts, gain
from repro.evaluation.intrinsic.sides import stays_user
from repro.evaluation.intrinsic.surprise import perplexity, surprise
from repro.evaluation.intrinsic.table import intrinsic_gains, intrinsic_table, realism_table, rooms
from repro.evaluation.intrinsic.words import diversity_gain, first_turn_diversity, intent_overlap, overlap

__all__ = [
    "Detector",
    "Moment",
    "Parts",
    "Probe",
    "detected",
    "diversity_gain",
    "end_times",
    "ending",
    "first_turn_diversity",
    "gain",
    "in_their_place",
    "intent_adherence",
    "intent_kept",
    "intent_overlap",
    "intrinsic_gains",
    "intrinsic_table",
    "keeps_intent",
    "kept_by_judge",
    "left",
    "load_probes",
    "manner",
    "moments_of",
    "naturalness",
    "overlap",
    "perplexity",
    "probed",
    "reactions",
    "realism_table",
    "role_adherence",
    "role_change",
    "role_kept",
    "rooms",
    "stays_user",
    "surprise",
    "termination_f1",
    "unprobed",
]
