"""The commands of the command line: one file each, all with a `main(arguments)`."""

from quickstudy.app.commands import adapt as adapt
from quickstudy.app.commands import evaluate as evaluate
from quickstudy.app.commands import export as export
from quickstudy.app.commands import play as play
from quickstudy.app.commands import recipes as recipes
from quickstudy.app.commands import report as report
from quickstudy.app.commands import train as train
