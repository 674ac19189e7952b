"""How far is what simulated users do from what real users do? (arXiv 2605.07847)"""

from .divergence import Divergences, divergences, histogram
from .encode import load_encoder
from .mixtures import Mixture, greedy_path, optimal_mixture
from .quantize import Quantized, quantize

__all__ = [
    "Divergences", "Mixture", "Quantized", "divergences", "greedy_path", "histogram", "load_encoder", "optimal_mixture",
    "quantize",
]  # fmt: skip
