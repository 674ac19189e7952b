"""How far is what simulated users do from what real users do? (arXiv 2605.07847)"""

from .certainty import Side, floor, interval, permutation_p
from .clusters import Behaviour, behaviours
from .conversations import Conversation, of_trajectories, read_conversations
from .divergence import Divergences, divergences, histogram
from .encode import load_encoder
from .facets import FACETS, REPRESENTATIONS, LexicalFacets
from .gap import GapResult, Gaps, behavioral_gap, behavioral_gaps
from .mixtures import Mixture, greedy_path, optimal_mixture
from .quantize import Quantized, quantize
from .report import gap_table, held_out_mixture, mixture_gain, pairwise_table, path_table

__all__ = [
    "FACETS", "REPRESENTATIONS", "Behaviour", "Conversation", "Divergences", "GapResult", "Gaps", "LexicalFacets",
    "Mixture", "Quantized", "Side", "behavioral_gap", "behavioral_gaps", "behaviours", "divergences", "floor",
    "gap_table", "greedy_path", "held_out_mixture", "histogram", "interval", "load_encoder", "mixture_gain",
    "of_trajectories", "optimal_mixture", "pairwise_table", "path_table", "permutation_p", "quantize",
    "read_conversations",
]  # fmt: skip
