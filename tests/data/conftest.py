"""What do the tests of corpora share?"""

from __future__ import annotations

from pathlib import Path

import pytest

from .wildchat import rows, write


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """What `datasets` keeps between runs is not ours to read or to fill."""
    datasets = pytest.importorskip("datasets")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("datasets"))
        yield


@pytest.fixture(scope="session")
def wildchat_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture of 200 rows as JSONL."""
    return write(tmp_path_factory.mktemp("wildchat") / "wildchat.jsonl", rows())
