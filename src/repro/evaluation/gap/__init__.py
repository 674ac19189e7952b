"""How far is what simulated users do from what real users do? (arXiv 2605.07847)"""

from .certainty import Side, floor, interval, permutation_p
from .divergence import Divergences, divergences, histogram
from .encode import load_encoder
from .mixtures import Mixture, greedy_path, optimal_mixture
from .quantize import Quantized, quantize

__all__ = [
    "Divergences", "Mixture", "Quantized", "Side", "divergences", "floor", "greedy_path", "histogram", "interval",
    "load_encoder", "optimal_mixture", "permutation_p", "quantize",
]  # fmt: skip
