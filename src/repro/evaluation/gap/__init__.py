"""How far is what simulated users do from what real users do? (arXiv 2605.07847)"""

from .annotate import LLMFacets
from .certainty import Certainty, Side, compare, floor
from .clusters import READINGS, Behaviour, behaviours
from .conversations import Conversation, of_trajectories, read_conversations
from .divergence import Divergences, divergences, histogram
from .encode import load_encoder
from .facets import FACETS, REPRESENTATIONS, LexicalFacets
from .gap import GapResult, Gaps, behavioral_gap, behavioral_gaps
from .held_out import HeldOut, held_out_mixture, path_table
from .kernel import Discrepancy, kernel_check
from .mixtures import Mixture, greedy_path, optimal_mixture
from .parts import between, part
from .places import places
from .quantize import Quantized, quantize
from .report import gap_table, pairwise_table
from .together import MixtureGain, facet_spread, likeness, mixture_gain

__all__ = [
    "FACETS", "READINGS", "REPRESENTATIONS", "Behaviour", "Certainty", "Conversation", "Discrepancy", "Divergences",
    "GapResult", "Gaps", "HeldOut", "LLMFacets", "LexicalFacets", "Mixture", "MixtureGain", "Quantized", "Side",
    "behavioral_gap", "behavioral_gaps", "behaviours", "between", "compare", "divergences", "facet_spread", "floor",
    "gap_table", "greedy_path", "held_out_mixture", "histogram", "kernel_check", "likeness", "load_encoder",
    "mixture_gain", "of_trajectories", "optimal_mixture", "pairwise_table", "part", "path_table", "places", "quantize",
    "read_conversations",
]  # fmt: skip
