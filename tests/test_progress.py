from __future__ import annotations

import pytest

from repro.progress import clock, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (7384, "2:03:04")],
)
def test_a_duration_reads_as_on_a_clock(seconds, text):
    assert duration(seconds) == text


def test_a_log_gets_a_line_at_the_start_and_one_at_the_end(capsys):
    with clock("01_main", 90):
        pass
    start, end = capsys.readouterr().err.splitlines()
    assert start == "01_main: started, takes about 1:30"
    assert end == "01_main: done after 0:00"


def test_what_was_stopped_is_not_called_done(capsys):
    with pytest.raises(KeyboardInterrupt), clock("01_main", None):
        raise KeyboardInterrupt
    assert capsys.readouterr().err.splitlines() == ["01_main: started", "01_main: stopped after 0:00"]


def test_a_terminal_gets_one_line_that_is_written_over(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with clock("01_main", None):
        pass
    assert capsys.readouterr().err == "\r\033[K01_main: started\r\033[K01_main: done after 0:00\n"
