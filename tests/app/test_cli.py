"""The command line: which command is meant, and how errors are told."""

import os
import subprocess
import sys

import pytest

from quickstudy.app import cli
from quickstudy.app.cli import COMMANDS, main
from quickstudy.errors import BadInput, Interrupted
from references.refusing import stopped


def test_help_and_lists_do_not_import_jax():
    code = (
        "import sys; from quickstudy.app.cli import main; main(['--help']); main(['recipes']);"
        "main(['methods']); main(['problems']); main(['recipes', 'maml-glyphs']);"
        "assert 'jax' not in sys.modules, 'JAX was imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "quickstudy train" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["recipes"], ["methods"], ["train", "maml-glyphs", "--help"]],
)
def test_a_reader_of_the_first_line_alone_sees_no_traceback(arguments):
    command = [sys.executable, "-m", "quickstudy.app.cli", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_every_command_is_in_the_help(capsys):
    main(["--help"])
    out = capsys.readouterr().out
    for command in COMMANDS:
        assert f"quickstudy {command}" in out


def test_unknown_names_suggest_the_nearest(capsys):
    assert "maml-omniglot" in stopped(["train", "maml-omnigolt"], capsys)
    assert "evaluate" in stopped(["evalute"], capsys)
    assert "mine.py:NAME" in stopped(["train", "mine.py"], capsys)


@pytest.mark.parametrize("command", ["evaluate", "play", "export", "report"])
def test_commands_on_a_run_want_one(command, tmp_path, capsys):
    assert f"quickstudy {command} RUN" in stopped([command], capsys)
    given = [command, str(tmp_path / "nowhere"), *(["a"] if command == "export" else [])]
    assert str(tmp_path) in stopped(given, capsys)
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "--recipe" in capsys.readouterr().out


def test_a_training_that_was_stopped_ends_as_programs_do(monkeypatch, capsys):
    """With 130, as of Ctrl-C; other errors with 1."""
    for error, code in ((Interrupted("stopped at step 3"), 130), (BadInput("no"), 1)):

        def fail(arguments, error=error):
            raise error

        monkeypatch.setattr(cli, "_answer", fail)
        with pytest.raises(SystemExit) as ended:
            cli.main(["train"])
        assert ended.value.code == code
    assert "quickstudy: stopped at step 3" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["cuda", "nonsense"])
def test_a_device_that_there_is_not(asked):
    """JAX's own error is a bare assertion for some of them."""
    ended = subprocess.run(
        [sys.executable, "-m", "quickstudy.app.cli", "train", "ridge-sinusoid", "--steps", "1"],
        env={**os.environ, "JAX_PLATFORMS": asked},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert f"quickstudy: JAX finds no device for JAX_PLATFORMS={asked}; unset it" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_paths_from_home_are_written_out_behind_an_equals_sign_too(monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/me")
    monkeypatch.setattr(cli, "_answer", lambda arguments: print(*arguments))
    main(["classify", "~/birds", "new~/", "--save=~/birds.qs", "--seed=1", "~/a.py:NAME"])
    said = "classify /me/birds new~/ --save=/me/birds.qs --seed=1 /me/a.py:NAME\n"
    assert capsys.readouterr().out == said
