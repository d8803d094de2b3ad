"""`quickstudy recipes`: what can be trained, what it must reach, and how long that takes."""

from quickstudy.recipes import DEFAULT, known


def main(arguments: list[str]) -> None:
    """Print the table of recipes."""
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "must reach", "takes", "source", show_lines=True)
    for name, recipe in known().items():
        mark = f"{name} (default)" if recipe is DEFAULT else name
        table.add_row(mark, recipe.reaches, recipe.takes, recipe.source)
    Console().print(table)
