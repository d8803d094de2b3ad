"""What the command line says of what cannot work."""

import pytest

from quickstudy.app.cli import main


def stopped(arguments, capsys):
    """What a command that cannot work tells the user."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 1
    return capsys.readouterr().err


def demand_refused(arguments, said, folder, capsys):
    """A training that cannot be says so, and leaves the folder, where it would run, empty."""
    assert said in stopped(arguments, capsys)
    assert not list(folder.iterdir()), "nothing was trained, so there is no folder"
