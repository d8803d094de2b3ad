"""`quickstudy classify CLASSES NEW`: a classifier of your own images, from a few of each class."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quickstudy.app.flags import demand_read, flags_of, parse, value_of
from quickstudy.app.running import paths_first
from quickstudy.errors import BadInput

if TYPE_CHECKING:
    from quickstudy.app.answers import Answers
    from quickstudy.estimators.few_shot_classifier import FewShotClassifier

ABOUT = (
    "Classify images from a few examples of each class. CLASSES is a folder with a sub-folder for "
    "each class; NEW is a folder of images, or one image. Where NEW has sub-folders named like "
    "the classes, these are the right answers, and the accuracy is printed."
)
USAGE = "classify CLASSES NEW"


@dataclass(frozen=True)
class ClassifyOptions:
    """How, and what is written."""

    save: Path | None = None
    """Also write the classifier to this file, which `quickstudy predict` reads."""
    json: Path | None = None
    """Also write the answers to this file."""
    page: Path | None = None
    """Also write a page of results, HTML, to this file."""
    unknown: bool = False
    """Whether images that resemble no example are answered by "unknown"."""
    with_: Path | None = None
    """A run, or an exported file: its learner adapts to the examples instead of the default
    classifier on features of a pretrained network."""
    ink: Literal["auto", "dark", "light"] | None = None
    """Whether drawings are dark on light paper or light on dark; `auto` looks at the borders. By
    default they are read as the run's own images were."""
    recipe: tuple[str, ...] = ()
    """PATH.py:NAME of the code of your own that the run was made with; several, if it is
    in several files."""


def main(arguments: list[str]) -> None:
    """Parse and run."""
    every = flags_of(ClassifyOptions())
    (*folders,), rest = paths_first(arguments, USAGE, every, least=2, about=ABOUT)
    if len(folders) > 2:
        raise BadInput(
            f"{folders[2]} is one path too many: quickstudy {USAGE}; put the new images into one "
            "folder"
        )
    with_run = value_of("with", rest) is not None
    hidden = {"save"} if with_run else {"ink", "recipe"}
    flags = [flag for flag in every if flag.name not in hidden]
    why = {
        "save": "a learner is kept by its run; without --with the classifier can be saved",
        "ink": "it is for learners of drawings, --with RUN",
        "recipe": "it is for runs of your own code, --with RUN",
    }
    demand_read(flags, rest, {name: why[name] for name in hidden})
    values = parse(flags, rest, prog=f"quickstudy {USAGE}", description=ABOUT)
    _classify((folders[0], folders[1]), ClassifyOptions(**values))


def _classify(folders: tuple[Path, Path], options: ClassifyOptions) -> None:
    from quickstudy.mesh import set_up_devices
    from quickstudy.writing import demand_files

    demand_files(save=options.save, json=options.json, page=options.page)
    set_up_devices()
    from rich.console import Console

    from quickstudy.tasks.folders import class_files

    examples = class_files(folders[0])
    answers = answered(examples, folders[1], options)
    Console().print(answers)
    if options.save is not None:
        answers.classifier.save(options.save)
        print(f"wrote {options.save}; quickstudy predict {options.save} IMAGE ...", file=sys.stderr)
    if options.json is not None:
        from quickstudy.writing import write_json

        write_json(options.json, answers.to_json())
    if options.page is not None:
        from quickstudy.app.report.classified import classified_page
        from quickstudy.writing import write_atomically

        text = classified_page(str(folders[1]), answers, examples)
        write_atomically(options.page, text)
        print(f"wrote {options.page}", file=sys.stderr)


def answered(examples: dict[str, list[Path]], new: Path, options: ClassifyOptions) -> "Answers":
    """Fit on the examples of each class, and answer for the new images."""
    from quickstudy.app.answers import Answers, folder_labels
    from quickstudy.tasks.folders import image_files

    files = image_files(new)
    known = [(file, name) for name, own in examples.items() for file in own]
    own = [file for file, _ in known]
    if options.with_ is None:
        classifier, read = _by_default(options, [*own, *files])
    else:
        classifier, read = _by_learner(options, [*own, *files])
    classifier.fit(read[: len(own)], [name for _, name in known])
    labels = folder_labels(new, files, list(examples), others=options.unknown)
    return Answers(classifier, files, classifier.examine(read[len(own) :]), labels)


def _by_default(options: ClassifyOptions, files: list[Path]) -> "tuple[FewShotClassifier, Any]":
    """The default classifier, whose features of all files are made here, with a bar."""
    from quickstudy.estimators.few_shot_classifier import FewShotClassifier

    classifier = FewShotClassifier(unknown=options.unknown)
    make_features(classifier, files)
    return classifier, files


def make_features(classifier: "FewShotClassifier", files: list[Path]) -> None:
    """Make the features of files, which the cache then has, and show how far that is."""
    from quickstudy.estimators.encoding import features_of, resolved
    from quickstudy.features.encoder import Encoder
    from quickstudy.progress import CountingBar

    encoder: Any = resolved(classifier.encoder)
    if isinstance(encoder, Encoder) and len(files) > 1:
        with CountingBar() as bar:
            features_of(encoder, files, progress=bar)


def _by_learner(options: ClassifyOptions, files: list[Path]) -> "tuple[FewShotClassifier, Any]":
    """The learner of a run, and the images as it was trained to see them."""
    import numpy as np

    from quickstudy.estimators.few_shot_classifier import FewShotClassifier
    from quickstudy.estimators.pictures import look_of
    from quickstudy.tasks.folders import read_pixels
    from quickstudy.tasks.pictures import unlike_training

    assert options.with_ is not None
    classifier = FewShotClassifier.from_run(options.with_, options.recipe)
    classifier.set_params(unknown=options.unknown)
    if classifier.encoder != "auto":  # the learner takes the features of a pretrained network
        make_features(classifier, files)
        return classifier, files
    if classifier.image is None:
        raise BadInput(
            f"{options.with_} holds a learner that takes no images; give a run of a recipe on "
            "images, such as prototypical-omniglot"
        )
    look = look_of(classifier.image)
    shape = (*look.size, look.channels)
    if (said := unlike_training(files, shape)) is not None:
        print(said, file=sys.stderr)
    look = look._replace(ink=options.ink or look.ink)
    classifier.set_params(image=(*shape, "light"))  # for its pixels have the right ink already
    return classifier, np.stack([*read_pixels(files, look)])
