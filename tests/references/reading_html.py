"""Reads a page, and demands that it is whole and needs nothing from elsewhere."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Demands that every tag is closed in order, and collects what is there."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)


def demand_self_contained(text):
    read = Reader(text)
    assert not {"script", "link", "iframe", "object"} & set(read.tags)
    assert set(re.findall(r"url\((.?)", text)) <= {"#"}
    assert "@import" not in text
    policies = []
    for tag, name, value in read.attributes:
        assert not name.startswith("on"), (tag, name)
        if name == "src":
            assert value.startswith("data:"), value[:40]
        if name == "href":
            assert tag == "a"
        if name == "xlink:href":
            assert value.startswith("#"), value
        if name == "http-equiv":
            policies.append(value)
    assert policies == ["Content-Security-Policy"]
    named = [value for _, name, value in read.attributes if name == "id"]
    assert len(named) == len(set(named))
    return read
