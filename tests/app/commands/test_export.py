"""`quickstudy export`: what was learned as one file."""

from quickstudy.app.cli import main
from quickstudy.experiments.saved import load, load_recipe
from quickstudy.testing.comparing import same_bits
from references.recipes import untrained
from references.refusing import stopped


def test_it_is_the_same_learner(tmp_path, capsys):
    run, file = untrained(tmp_path / "run", "maml-sinusoid", "--seed 3"), tmp_path / "a.safetensors"
    main(["export", str(run), str(file)])
    assert f"quickstudy.load('{file}')" in capsys.readouterr().out
    assert same_bits(load(run), load(file))
    assert load_recipe(run) == load_recipe(file)
    again = tmp_path / "b.safetensors"
    main(["export", str(file), str(again)])
    assert again.read_bytes() == file.read_bytes()


def test_the_file_must_be_named(tmp_path, capsys):
    run = untrained(tmp_path / "run", "maml-sinusoid")
    assert "name the file to write" in stopped(["export", str(run)], capsys)
