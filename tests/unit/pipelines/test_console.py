"""What commands print: tables of whatever files are called."""

import pytest

from pipelines.cli.console import err, out, print_table

HOSTILE = "bad\x1b[2J\x1b]0;title\x07\x9b31m[/x].txt"


def test_the_name_of_a_file_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table("Files", ["Path"], [[HOSTILE], ["two\nlines.txt"]])
    out.print(HOSTILE, markup=False)
    err.print(HOSTILE, markup=False)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert "bad\ufffd[2J" in text
        assert "[/x].txt" in text
        assert not any(sign in text for sign in "\x1b\x07\x9b")
    assert "two" in shown.out
