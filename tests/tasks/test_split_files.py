"""Split files: one format, whatever spreadsheets do to it."""

import os

import pytest

from quickstudy.errors import DataError
from quickstudy.tasks.split_files import read_splits

NAMES = ["C#", "[x]", "y:", "a, b", "caf\u00e9", "train:", '"q"', "0042"]


def table(*rows, header="class,split"):
    return "\n".join([header, *rows]) + "\n"


def quoted(name):
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def test_names_may_hold_anything(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(table(*(f"{quoted(name)},train" for name in NAMES)), encoding="utf-8")
    assert read_splits(path) == {"train": tuple(NAMES)}
    bare = [name for name in NAMES if "," not in name and '"' not in name]
    path.write_text(table(*(f"{name},train" for name in bare)), encoding="utf-8")
    assert read_splits(path) == {"train": tuple(bare)}


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ('" a",train', " a"),
        ('"a ",train', "a "),
        ('  "a " , train ', "a "),
        ('" a, ""b"" ",\ttrain', ' a, "b" '),
        ("  a b ,train", "a b"),
        ('5" nail ,train', '5" nail'),
        ("\u00a0a,train\u00a0", "a"),
        ('" two\n lines ",train', " two\n lines "),
        ('a,"train "', "a"),
    ],
)
def test_spaces_around_a_name_count_only_in_quotes(tmp_path, row, name):
    path = tmp_path / "a.csv"
    path.write_text(table(row, "z,test"), encoding="utf-8")
    assert read_splits(path) == {"train": (name,), "test": ("z",)}


FORMS = {
    "plain": table("c,train", "b,val", "a,train", "d e,test"),
    "columns reversed": table("train,c", "val,b", "train,a", "test,d e", header="split,class"),
    "capitals": table("c,Train", "b,VALID", "a,train", "d e,Test", header="Class,Split"),
    "of Excel": "\ufeff" + table("c,train", "b,val", "a,train", "d e,test").replace("\n", "\r\n"),
    "empty lines": table("c,train", "", "b,validation", "a,train", "d e,test", ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_spreadsheets_write_is_tolerated(tmp_path, form):
    (tmp_path / "A.CSV").write_bytes(FORMS[form].encode())
    assert read_splits(tmp_path / "A.CSV") == {
        "train": ("c", "a"),
        "validation": ("b",),
        "test": ("d e",),
    }


def test_names_are_composed(tmp_path):
    (tmp_path / "a.csv").write_text(table("cafe\u0301,train"), encoding="utf-8")
    assert read_splits(tmp_path / "a.csv") == {"train": ("caf\u00e9",)}
    (tmp_path / "a.csv").write_text(table("cafe\u0301,train", "caf\u00e9,test"), encoding="utf-8")
    with pytest.raises(DataError, match="twice, in train and in test"):
        read_splits(tmp_path / "a.csv")


WRONG = {
    "twice.csv": (table("b,train", "b,test"), "'b' twice, in train and in test"),
    "other.csv": (table("a,base"), "row 1 is .*'base'"),
    "none.csv": (table(",train"), "row 1 is .*without a class"),
    "columns.csv": (table("a,train", header="name,part"), r"columns \['name', 'part'\], not class"),
    "more.csv": (table("a,train,1", header="class,split,n"), "not class and split"),
    "double.csv": (
        table("a,train,test", header="class,split, Split"),
        r"two columns 'split': \['class', 'split', 'split'\]\. Leave one",
    ),
    "ragged.csv": (table("a"), "row 1 has 1 values"),
    "empty.csv": (table(), "names no class"),
    "nothing.csv": ("", "names no class"),
    "images.csv": (
        table("1.png,a,train", header="filename,label,split"),
        "it divides images.*sub-f",
    ),
    "quotes.csv": (table('"a,train'), "is not a CSV file|values"),
    "a.json": ('{"train": ["a"]}', r"no \.csv\. A split file is a \.csv .* class,split"),
    "a.txt": ("train:\na\n", r"no \.csv\. A split file is a \.csv"),
}


@pytest.mark.parametrize("name", WRONG)
def test_other_files_are_refused(tmp_path, name):
    text, message = WRONG[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_splits(tmp_path / name)
    assert name in str(caught.value)


def test_what_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(DataError, match=r"There is no file .*none\.csv"):
        read_splits(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"is no \.csv"):
        read_splits(tmp_path)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(DataError, match=r"bytes\.csv is not a text file"):
        read_splits(tmp_path / "bytes.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match=r"There is no file .*pipe\.csv"):
        read_splits(tmp_path / "pipe.csv")
