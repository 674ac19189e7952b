"""Does the cache keep each row's own keys, whatever is dropped, copied or packed?"""

from __future__ import annotations

import torch

from repro.models.cache import SlotCache


def cache(lengths, n_slots=6):
    """Row i holds the numbers 10 i + 1, 10 i + 2, ... packed to the right of four slots; two slots are free."""
    keys = torch.zeros(len(lengths), 1, n_slots, 1)
    valid = torch.zeros(len(lengths), n_slots, dtype=torch.bool)
    for i, n in enumerate(lengths):
        keys[i, 0, 4 - n : 4, 0] = 10 * i + 1 + torch.arange(n)
        valid[i, 4 - n : 4] = True
    return SlotCache([(keys, -keys)], valid, 4)


def held(one, row):
    return one.layers[0][0][row, 0, one.valid[row], 0].tolist()


def test_new_keys_go_behind_the_old_ones():
    one = cache([2, 4])
    new = torch.tensor([[[[7.0]]], [[[8.0]]]])
    keys, values = one.update(new, -new, 0)
    assert keys[:, 0, :, 0].tolist() == [[0, 0, 1, 2, 7, 0], [11, 12, 13, 14, 8, 0]]  # the last slot is still empty
    assert torch.equal(values, -keys)


def test_rows_are_a_copy():
    one = cache([2, 4])
    part = one.rows(torch.tensor([1]))
    part.layers[0][0].zero_()
    assert held(one, 1) == [11, 12, 13, 14]


def test_what_a_part_wrote_is_put_back_into_its_rows():
    one = cache([2, 4])
    part = one.rows(torch.tensor([1]))
    part.update(torch.tensor([[[[9.0]]]]), torch.tensor([[[[-9.0]]]]), 0)
    part.valid[:, 4], part.fill = True, 5
    one.put(torch.tensor([1]), part, 4)
    assert (held(one, 0), held(one, 1), one.fill) == ([1, 2], [11, 12, 13, 14, 9], 5)


def test_repacked_rows_hold_the_beginning_of_their_source_at_the_right():
    packed = cache([2, 4]).repacked([1, 0, 1], [3, 0, 1], n_room=2)
    assert [held(packed, row) for row in range(3)] == [[11, 12, 13], [], [11]]
    assert packed.fill == 3
    assert packed.valid.shape == (3, 5)
    assert packed.layers[0][0].isfinite().all()  # empty slots too: masked, 0 x NaN would still be NaN
