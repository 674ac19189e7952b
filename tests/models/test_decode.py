"""Is a row's text its own, whatever the batch, the order and what was read before?"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.models.base import Sampling
from repro.models.decode import Decoder
from repro.models.tiny import tiny_model

torch = pytest.importorskip("torch")
END = 2
MAX = 40
# lengths 1 to 61, some with a common beginning, some a beginning of another
CONTEXTS = [[1, *([30 + i % 3] * (4 * i)), 200 - i] for i in range(12)] + [[1], [1, 30, 30]]
SEEDS = list(range(100, 100 + len(CONTEXTS)))
SAMPLING = Sampling(max_tokens=MAX)


@cache
def model():
    return tiny_model()[0]


def speak(decoder, rows, contexts=CONTEXTS, sampling=SAMPLING):
    """The ids drawn for the rows named."""
    drawn = decoder.generate([contexts[i] for i in rows], sampling=sampling, seeds=[SEEDS[i] for i in rows], stop={END})
    return [row.ids for row in drawn]


@cache
def alone():
    """Each row read and spoken by itself."""
    return [speak(Decoder(model()), [i])[0] for i in range(len(CONTEXTS))]


def next_contexts():
    """Every dialogue a turn later."""
    return [[*c, *ids, 50, 60, 10 + i] for i, (c, ids) in enumerate(zip(CONTEXTS, alone(), strict=True))]


rows_of_a_batch = st.lists(st.integers(0, len(CONTEXTS) - 1), min_size=1, max_size=len(CONTEXTS), unique=True)


def test_rows_end_at_very_different_lengths():  # else the tests below say little
    lengths = [len(ids) for ids in alone()]
    assert min(lengths) <= 5
    assert lengths.count(MAX) >= 2
    assert len(set(lengths)) >= 6


@settings(max_examples=12, deadline=None)
@given(rows_of_a_batch)
def test_the_text_is_the_same_whatever_the_batch_and_its_order(rows):
    assert speak(Decoder(model()), rows) == [alone()[i] for i in rows]


@settings(max_examples=8, deadline=None)
@given(rows_of_a_batch, rows_of_a_batch)
def test_a_later_turn_is_the_same_with_the_prefix_cache_and_without(first, second):
    decoder = Decoder(model())
    speak(decoder, first)
    cached = speak(decoder, second, next_contexts())
    assert cached == speak(Decoder(model()), second, next_contexts())


def test_only_new_tokens_are_read_at_a_later_turn(monkeypatch):
    decoder = Decoder(model())
    speak(decoder, range(8))
    widths = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: widths.append(ids.shape[1]) or step(ids, *rest))
    speak(decoder, range(8), next_contexts())
    assert widths[0] == 4  # the last token drawn, which had not been read, and 50, 60, 10 + i
    assert set(widths[1:]) == {1}


def test_nothing_is_remembered_after_a_reset(monkeypatch):
    decoder = Decoder(model())
    speak(decoder, [11])
    decoder.reset()
    widths = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: widths.append(ids.shape[1]) or step(ids, *rest))
    speak(decoder, [11], next_contexts())
    assert widths[0] == len(next_contexts()[11])


def test_samples_of_one_context_share_its_reading_and_differ_by_their_seeds(monkeypatch):
    decoder = Decoder(model())
    batches = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: batches.append(tuple(ids.shape)) or step(ids, *rest))
    drawn = decoder.generate([CONTEXTS[3]] * 4, sampling=SAMPLING, seeds=[1, 2, 3, 1], stop={END})
    assert batches[0] == (1, len(CONTEXTS[3]))
    assert drawn[0].ids == drawn[3].ids
    assert drawn[0].ids != drawn[1].ids
    single = Decoder(model()).generate([CONTEXTS[3]], sampling=SAMPLING, seeds=[2], stop={END})
    assert drawn[1].ids == single[0].ids


def test_rows_that_have_ended_are_dropped(monkeypatch):
    decoder = Decoder(model())
    sizes = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: sizes.append(len(ids)) or step(ids, *rest))
    speak(decoder, range(len(CONTEXTS)))
    still_speaking = [sum(len(ids) > i for ids in alone()) for i in range(1, MAX)]
    reads, sizes = sizes[:2], sizes[2:]
    assert reads == [8, len(CONTEXTS) - 8]  # in two parts, by length
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= n / 0.75 for size, n in zip(sizes, still_speaking, strict=False))


def test_rows_of_like_length_are_read_together(monkeypatch):
    decoder = Decoder(model())
    shapes = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: shapes.append(tuple(ids.shape)) or step(ids, *rest))
    speak(decoder, range(12), sampling=Sampling(max_tokens=1))
    # lengths 2, 6, 10 ... 46, given as 12 rows: the eight shortest reach to 30, the others to 46
    assert shapes == [(8, 30), (4, 46)]


def test_what_all_contexts_begin_with_is_read_once(monkeypatch):
    told = [7, *range(40, 60)]
    contexts = [told + c for c in CONTEXTS]
    apart = [speak(Decoder(model()), [i], contexts)[0] for i in range(len(contexts))]
    decoder = Decoder(model())
    shapes = []
    step = decoder._step
    monkeypatch.setattr(decoder, "_step", lambda ids, *rest: shapes.append(tuple(ids.shape)) or step(ids, *rest))
    assert speak(decoder, range(len(CONTEXTS)), contexts) == apart
    assert shapes[0] == (1, len(told))  # CONTEXTS all begin with 1, and one is nothing else: that one is read again
    assert sum(n * width for n, width in shapes if width > 1) < sum(map(len, contexts))


def test_returned_logps_are_those_of_a_plain_forward_pass():
    ban = [100, 101]
    drawn = Decoder(model()).generate(
        CONTEXTS, sampling=Sampling(max_tokens=MAX, temperature=0.7, min_p=0.05), seeds=SEEDS, stop={END}, banned=ban,
        banned_first=[END],
    )  # fmt: skip
    for context, row in zip(CONTEXTS, drawn, strict=True):
        ids = torch.tensor([context + row.ids])
        with torch.inference_mode():
            logps = model()(input_ids=ids).logits.log_softmax(-1)[0, len(context) - 1 : -1]
        expected = logps.gather(-1, torch.tensor(row.ids)[:, None])[:, 0]
        assert torch.allclose(torch.tensor(row.logps), expected, atol=1e-4)


def test_zero_temperature_is_the_likeliest_token_at_each_step():
    (row,) = Decoder(model()).generate([CONTEXTS[2]], sampling=Sampling(0, max_tokens=6), seeds=[0], stop={END})
    ids = list(CONTEXTS[2])
    for token in row.ids:
        with torch.inference_mode():
            assert token == model()(input_ids=torch.tensor([ids])).logits[0, -1].argmax().item()
        ids.append(token)


def test_greedy_tokens_are_those_of_transformers_generate_at_the_first_turn_and_at_the_next():
    told, greedy, decoder = [7, *range(40, 60)], Sampling(temperature=0, max_tokens=12), Decoder(model())
    contexts = [told + c for c in CONTEXTS]
    for _ in range(2):
        drawn = speak(decoder, range(len(contexts)), contexts, greedy)
        for context, ids in zip(contexts, drawn, strict=True):
            read = torch.tensor([context])
            theirs = model().generate(
                read, attention_mask=torch.ones_like(read), do_sample=False, max_new_tokens=12, eos_token_id=END,
                pad_token_id=0,
            )  # fmt: skip
            assert ids == theirs[0, len(context) :].tolist()
        contexts = [[*c, *ids, 50, 60, 10 + i] for i, (c, ids) in enumerate(zip(contexts, drawn, strict=True))]


def test_a_row_stops_at_its_end_token_and_nowhere_else():
    for ids in alone():
        assert END not in ids[:-1]
        assert ids[-1] == END or len(ids) == MAX


def test_banned_tokens_are_not_drawn():
    often = max(range(3, 259), key=lambda token: sum(ids.count(token) for ids in alone()))
    drawn = Decoder(model()).generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS, stop={END}, banned=[often])
    assert any(often in ids for ids in alone())
    assert all(often not in row.ids for row in drawn)


def test_tokens_banned_at_first_come_later():
    first = [ids[0] for ids in alone()]
    drawn = Decoder(model()).generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS, stop={END}, banned_first=first)
    assert all(row.ids[0] not in first for row in drawn)
    assert any(set(row.ids) & set(first) for row in drawn)


def test_a_model_that_fails_half_way_leaves_the_cache_as_it_was(monkeypatch):
    decoder = Decoder(model())
    speak(decoder, range(6))
    step = decoder._step
    steps = iter(range(3))
    monkeypatch.setattr(decoder, "_step", lambda *a: (next(steps), step(*a))[1])
    with pytest.raises((StopIteration, RuntimeError)):
        speak(decoder, range(6), next_contexts())
    monkeypatch.setattr(decoder, "_step", step)
    assert speak(decoder, range(6), next_contexts()) == speak(Decoder(model()), range(6), next_contexts())


def test_models_that_have_not_spoken_for_a_while_forget_what_they_read():
    decoders = [Decoder(model()) for _ in range(4)]
    for decoder in decoders:
        speak(decoder, [0])
    assert [bool(decoder.past) for decoder in decoders] == [False, True, True, True]
    assert speak(decoders[0], [0]) == [alone()[0]]  # and say the same when they speak again
    assert [bool(decoder.past) for decoder in decoders] == [True, False, True, True]
