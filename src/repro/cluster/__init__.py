"""How does work that falls into parts run on many machines, with the same results?"""

from .answers import SpreadFacets, answer, on_cluster, to_judge
from .models import train
from .named import named
from .spread import Resources, map
from .talks import talk

__all__ = ["Resources", "SpreadFacets", "answer", "map", "named", "on_cluster", "talk", "to_judge", "train"]
