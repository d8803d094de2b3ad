"""`quickstudy predict FILE IMAGE ...`: answers of a classifier that was saved."""

from dataclasses import dataclass
from pathlib import Path

from quickstudy.app.flags import demand_read, flags_of, parse
from quickstudy.app.running import paths_first

ABOUT = (
    "Classify images, or folders of them, by a file that quickstudy classify --save, or "
    "FewShotClassifier.save, wrote. Nothing in the file is run."
)
USAGE = "predict FILE IMAGE ..."


@dataclass(frozen=True)
class PredictOptions:
    """What is written."""

    json: Path | None = None
    """Also write the answers to this file."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    flags = flags_of(PredictOptions())
    (file, *images), rest = paths_first(arguments, USAGE, flags, least=2, about=ABOUT)
    demand_read(flags, rest, {})
    options = PredictOptions(**parse(flags, rest, prog=f"quickstudy {USAGE}", description=ABOUT))
    from quickstudy.mesh import set_up_devices
    from quickstudy.writing import demand_files

    demand_files(json=options.json)
    set_up_devices()
    from rich.console import Console

    from quickstudy.app.answers import Answers
    from quickstudy.app.commands.classify import make_features
    from quickstudy.estimators.few_shot_classifier import FewShotClassifier
    from quickstudy.tasks.folders import image_files

    classifier = FewShotClassifier.load(file)
    files = [one for path in images for one in image_files(path)]
    make_features(classifier, files)
    answers = Answers(classifier, files, classifier.examine(files), [None] * len(files))
    Console().print(answers)
    if options.json is not None:
        from quickstudy.writing import write_json

        write_json(options.json, answers.to_json())
