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


def test_what_is_printed_opens_a_run_of_one_s_own(tmp_path, capsys):
    code, file = tmp_path / "exported_slope.py", tmp_path / "a.safetensors"
    code.write_text(
        "import quickstudy as qs\n\n"
        "class Slope(qs.Learner):\n"
        "    model: object\n\n"
        "    def adapt(self, support, *, key=None):\n"
        "        return self.model\n"
    )
    own = f"{code}:Slope"
    run = untrained(tmp_path / "run", own, on="sinusoid")
    main(["export", str(run), str(file), "--recipe", own])
    said = capsys.readouterr().out
    assert f"quickstudy.load({str(file)!r}, recipe=[{own!r}])" in said
    assert same_bits(load(run, [own]), load(file, [own]))


def test_the_file_must_be_named(tmp_path, capsys):
    run = untrained(tmp_path / "run", "maml-sinusoid")
    assert "name the file to write" in stopped(["export", str(run)], capsys)
