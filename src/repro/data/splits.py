"""Who is held out?

As arXiv 2605.09808 does it. Conversations that open with boilerplate are dropped: word 7-grams (lower case, split at
white space) are counted over all first user turns, and a conversation with one that occurs more than 100 times goes.
The rest is split by user, that is by (pseudonym, country), in 89/5/6 within each country, seed 42. A benchmark's
conversations go to test; here their users go with them, so that nobody stands on both sides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from repro.data.corpora import Corpus
from repro.errors import ReproError
from repro.seeds import derive

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
SHARES = (0.89, 0.05, 0.06)  # arXiv 2605.09808
N_GRAM, MAX_COUNT = 7, 100  # arXiv 2605.09808
_BATCH = 1000
_BUCKETS = 2**24  # counters of the first pass, 64 MiB
_N_PERM = 64  # of a MinHash: overlaps are estimated to about 0.06
User = tuple[str, str]


def deduplicate(corpus: Corpus, *, n_gram: int = N_GRAM, max_count: int = MAX_COUNT) -> Corpus:
    """The conversations without those whose first turn holds an n-gram that occurs more than `max_count` times.

    Occurrences are counted, also within a turn. Exact in bounded memory: n-grams are counted in buckets first, and one
    by one only where a bucket is too full for all of its n-grams to be rare.
    """
    buckets = np.zeros(_BUCKETS, dtype=np.uint32)
    for grams in _grams(corpus, n_gram, "7-grams counted"):
        np.add.at(buckets, np.concatenate(grams) % _BUCKETS, 1)
    exact: Counter[int] = Counter()
    for grams in _grams(corpus, n_gram, "frequent ones counted"):
        together = np.concatenate(grams)
        exact.update(together[buckets[together % _BUCKETS] > max_count].tolist())
    frequent = np.array([gram for gram, count in exact.items() if count > max_count], dtype=np.uint64)
    seen = (bool(np.isin(gram, frequent).any()) for grams in _grams(corpus, n_gram, "looked up") for gram in grams)
    kept = [i for i, repeated in enumerate(seen) if not repeated]
    return corpus.chosen(kept, "deduplicate", _counts({"that begin as many others do": len(corpus) - len(kept)}))


def first_turns(corpus: Corpus, what: str) -> Iterator[list[str]]:
    """The first user turns, a batch at a time; the rest of a dialogue is not decoded."""
    import pyarrow.compute as pc
    from tqdm import tqdm

    rows = corpus.rows.with_format("arrow")
    starts = range(0, len(corpus), _BATCH)
    for start in tqdm(starts, desc=what, unit="k rows", disable=len(starts) < 2):
        said = rows[start : start + _BATCH].column("messages")
        yield pc.struct_field(pc.list_element(said, 0), "content").to_pylist()


def _grams(corpus: Corpus, n: int, what: str) -> Iterator[list[Any]]:
    """64-bit hashes of the word n-grams of each first turn, in batches: two different ones never meet in practice."""
    from xxhash import xxh3_64_intdigest as hashed

    for texts in first_turns(corpus, what):
        words = [text.lower().split() for text in texts]
        runs = [[" ".join(w[i : i + n]).encode() for i in range(len(w) - n + 1)] for w in words]
        yield [np.array([hashed(run) for run in one], dtype=np.uint64) for one in runs]


def split_by_user(
    corpus: Corpus, *, benchmark_ids: Collection[str] = (), shares: Sequence[float] = SHARES, seed: int = 42
) -> dict[Split, Corpus]:
    """train, val and test; no user in two. Who goes where depends on the users and the seed, not on the order of rows.

    Users with a conversation among `benchmark_ids` are in test; `shares` are those of all other users. A country of few
    users is drawn for, so that small ones do not all end up in train.
    """
    if len(shares) != len(SPLITS) or min(shares) < 0 or not np.isclose(sum(shares), 1):
        raise ReproError(f"shares are {tuple(shares)}; give three that sum to 1, for train, val and test")
    users, bench = corpus.users, set(benchmark_ids)
    forced = {user for user, id in zip(users, corpus.column("id"), strict=True) if id in bench}
    where = dict.fromkeys(forced, "test") | _assigned(set(users) - forced, shares, seed)
    out: dict[Split, Corpus] = {}
    for split in SPLITS:
        chosen = [i for i, user in enumerate(users) if where[user] == split]
        out[split] = corpus.chosen(chosen, f"split {split}", _counts({"in another split": len(corpus) - len(chosen)}))
    return out


def _assigned(users: Collection[User], shares: Sequence[float], seed: int) -> dict[User, str]:
    """Systematic sampling per country: user r of n, in a random order, stands at (r + u) / n; u is the country's."""
    by_country: dict[str, list[User]] = defaultdict(list)
    for user in users:
        by_country[user[1]].append(user)
    ends = np.cumsum(shares)[:-1]
    out: dict[User, str] = {}
    for country, members in by_country.items():
        ordered = sorted(members, key=lambda user: (derive(seed, "user", *user), user))
        offset = derive(seed, "country", country) / 2**63
        places = (np.arange(len(ordered)) + offset) / len(ordered)
        out |= {user: SPLITS[i] for user, i in zip(ordered, np.searchsorted(ends, places, side="right"), strict=True)}
    return out


def leaks(train: Corpus, other: Corpus, *, threshold: float = 0.8, n_words: int = 3, seed: int = 0) -> list[User]:
    """Pairs (id in train, id in other) of conversations that open with nearly the same words: a check on a split.

    MinHash estimates of the Jaccard overlap of word 3-grams of the first turns, at `threshold` or more (datasketch; a
    pair just at the threshold may be missed). Only `other` is held in memory.
    """
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=_N_PERM)
    held = list(_signatures(other, n_words, seed, "held-out turns hashed"))
    for place, one in enumerate(held):
        index.insert(place, one)
    pairs: list[User] = []
    mine, theirs = train.column("id"), other.column("id")
    for place, one in enumerate(_signatures(train, n_words, seed, "compared")):
        near = sorted(i for i in index.query(one) if one.jaccard(held[i]) >= threshold)
        pairs += [(mine[place], theirs[i]) for i in near]
    return pairs


def _signatures(corpus: Corpus, n_words: int, seed: int, what: str) -> Iterator[Any]:
    from datasketch import MinHash

    shingles = (_shingles(text, n_words) for texts in first_turns(corpus, what) for text in texts)
    yield from MinHash.generator(shingles, num_perm=_N_PERM, seed=seed + 1)


def _shingles(text: str, n: int) -> list[bytes]:
    """Runs of n words; a text of fewer is one run."""
    words = text.lower().split()
    return [" ".join(words[i : i + n]).encode() for i in range(max(1, len(words) - n + 1))]


def read_ids(path: str | Path) -> set[str]:
    """Ids of a benchmark, one a line."""
    try:
        return set(Path(path).read_text("utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise ReproError(f"cannot read {path}; give a text file with one id a line") from error


def _counts(found: Mapping[str, int]) -> dict[str, int]:
    return {reason: n for reason, n in found.items() if n}
