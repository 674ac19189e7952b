"""How far is what simulated users do from what real users do? (arXiv 2605.07847)"""

from .divergence import Divergences, divergences, histogram
from .mixtures import Mixture, greedy_path, optimal_mixture

__all__ = ["Divergences", "Mixture", "divergences", "greedy_path", "histogram", "optimal_mixture"]
