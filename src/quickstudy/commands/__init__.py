"""The commands of the command line: one file each, all with a `main(arguments)`."""

from quickstudy.commands import adapt as adapt
from quickstudy.commands import evaluate as evaluate
from quickstudy.commands import export as export
from quickstudy.commands import play as play
from quickstudy.commands import recipes as recipes
from quickstudy.commands import report as report
from quickstudy.commands import train as train
