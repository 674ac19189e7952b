"""Where do the conversations of each side lie, on a plane that can be drawn?

Two principal components by default. UMAP (McInnes et al. 2018) with the settings of arXiv 2605.07847, if it is
installed: it pulls groups apart, and distances between groups then mean little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ReproError
from .gap import Gaps
from .kept_vectors import Vectors
from .quantize import SEED

if TYPE_CHECKING:
    import pandas as pd

UMAP: dict[str, Any] = {"n_neighbors": 100, "min_dist": 0.0, "spread": 2.0, "metric": "cosine"}  # arXiv 2605.07847
METHODS = ("pca", "umap")


def places(gaps: Gaps, *, method: str = "pca", seed: int = SEED) -> pd.DataFrame:
    """One row a conversation: side, x, y. Under "pca", x is the first component of all sides together."""
    import pandas as pd

    if method not in METHODS:
        raise ReproError(f"no map by '{method}'; have {', '.join(METHODS)}")
    vectors = np.concatenate([*gaps.vectors.values()])
    if len(vectors) < 3:
        raise ReproError(f"a map of {len(vectors)} conversations shows nothing; give 3 or more")
    xy = (_principal if method == "pca" else _umap)(vectors, seed)
    sides = np.repeat([*gaps.vectors], [len(side) for side in gaps.vectors.values()])
    return pd.DataFrame({"side": sides, "x": xy[:, 0], "y": xy[:, 1]})


def _principal(vectors: Vectors, seed: int) -> Any:
    from sklearn.decomposition import PCA

    return PCA(2, random_state=seed).fit_transform(vectors)


def _umap(vectors: Vectors, seed: int) -> Any:
    try:
        import umap
    except ModuleNotFoundError as error:
        raise ReproError("umap is not installed; pip install -e '.[gap]', or take pca") from error
    near = {**UMAP, "n_neighbors": min(UMAP["n_neighbors"], len(vectors) - 1)}
    return umap.UMAP(random_state=seed, **near).fit_transform(vectors)
