"""Where does an interrupted run go on?"""

from __future__ import annotations

from repro.training.resume import last_checkpoint


def whole(folder, step):
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "trainer_state.json").write_text("{}")
    return path


def test_nothing_there_is_the_beginning(tmp_path):
    assert last_checkpoint(tmp_path / "no such folder") == (None, 0)


def test_the_newest_by_number_not_by_name(tmp_path):
    whole(tmp_path, 5)
    newest = whole(tmp_path, 10)
    assert last_checkpoint(tmp_path) == (newest, 10)


def test_torn_ones_are_passed_over(tmp_path):
    good = whole(tmp_path, 5)
    (tmp_path / "checkpoint-10").mkdir()  # killed before the state was written
    (tmp_path / "checkpoint-5-old").mkdir()  # put aside by somebody
    whole(tmp_path, 15).joinpath("trainer_state.json").write_text('{"global_st')  # or while it was
    assert last_checkpoint(tmp_path) == (good, 5)
