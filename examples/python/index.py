"""The text of documents: HTML, DOCX, XLSX, PPTX, ODT, ODS and ODP, with the standard library alone.

`docserver --worker examples/python/index.py` has its documents read by this file, so that what is inside office
documents and between the tags of pages is found. A worker process calls `extract` with one document at a time.
"""

import codecs
import os
import re
import resource
import signal
import zipfile
from html.parser import HTMLParser
from xml.parsers import expat

# The most bytes of text that the search covers.
MOST_TEXT = 4 * 1024 * 1024
# The most bytes that are unpacked of one document: a small file may unpack to terabytes. So many empty elements
# take some seconds.
MOST_UNPACKED = 32 * 1024 * 1024
# The first piece of a member that is parsed.
PIECE = 64 * 1024
# The most seconds of the processor for one document. The parser of Python takes minutes for some small pages, such as
# 40,000 times `<!--`.
MOST_SECONDS = 20
# The most memory of the process. An archive may list millions of members.
MOST_MEMORY = 1024 * 1024 * 1024
# Office documents have no others. `zipfile` unpacks these in pieces, and 4 KiB of the others to gigabytes at once.
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Encodings of text for other purposes, which take a time that grows with the square of the length, or warn.
NO_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}


def extract(document):
    """Returns the text of `{"name": .., "path": ..}`, which is empty where there is none to be found."""
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        return text_of(document)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def late(*_):
    raise TimeoutError("the document takes more than %d seconds" % MOST_SECONDS)


def prepare():
    """Sets the bounds of the process."""
    signal.signal(signal.SIGPROF, late)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    least = MOST_MEMORY if most == resource.RLIM_INFINITY else min(MOST_MEMORY, most)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (least, most))
    except (OSError, ValueError):
        # Not all systems have this bound.
        pass


def text_of(document):
    with open(document["path"], "rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(b"PK\x03\x04"):
            return office(file)
        body = file.read(MOST_TEXT)
    if document["name"].lower().endswith((".html", ".htm", ".xhtml")) or is_page(body):
        return page(body)
    return plain(body)


class Text:
    """Pieces of text, up to a bound."""

    def __init__(self):
        self.pieces, self.room = [], MOST_TEXT

    def add(self, piece):
        self.pieces.append(piece[: self.room])
        self.room -= len(self.pieces[-1].encode(errors="replace"))

    def is_full(self):
        return self.room <= 0

    def joined(self):
        text = "".join(self.pieces)
        # Lone surrogates have no UTF-8.
        text = text.encode(errors="replace")[:MOST_TEXT].decode(errors="ignore")
        return re.sub(r"\s*\n\s*", "\n", text).strip()


def plain(body):
    """UTF-8, or UTF-16 with its mark; anything else is no text."""
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        if body.startswith(mark):
            return body.decode("utf-16", errors="ignore")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The end of what was read may cut a character.
        whole = len(body) == MOST_TEXT and error.start > len(body) - 4
        return body[: error.start].decode("utf-8-sig") if whole else ""


def is_page(body):
    return body[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))


class Page(HTMLParser):
    """The text between tags, but for scripts and styles."""

    SKIPPED = {"script", "style", "template"}
    BLOCKS = {"p", "br", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "title", "section"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.skipping = Text(), 0

    def handle_starttag(self, tag, attributes):
        self.skipping += tag in self.SKIPPED
        if tag in self.BLOCKS:
            self.text.add("\n")

    def handle_endtag(self, tag):
        self.skipping -= tag in self.SKIPPED and self.skipping > 0
        if tag in self.BLOCKS:
            self.text.add("\n")

    def handle_data(self, data):
        if not self.skipping and not self.text.is_full():
            self.text.add(data)


def page(body):
    named = re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", body[:2048], re.IGNORECASE)
    encoding = named.group(1).decode() if named else "utf-8"
    try:
        if codecs.lookup(encoding).name in NO_ENCODINGS:
            raise LookupError(encoding)
        source = body.decode(encoding, errors="replace")
    except LookupError:
        source = body.decode(errors="replace")
    parser = Page()
    parser.feed(source)
    parser.close()
    return parser.text.joined()


# For each kind of archive: a member that only it has, the members with text, and the elements in them whose text
# counts (all if there are none), that end a line, and that separate words.
KINDS = (
    ("word/document.xml", r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml", {"t"}, {"p"}, {"tab", "br"}),
    ("xl/workbook.xml", r"xl/(sharedStrings|worksheets/sheet\d+)\.xml", {"t"}, {"si", "row", "is"}, set()),
    ("ppt/presentation.xml", r"ppt/(slides/slide|notesSlides/notesSlide)\d+\.xml", {"t"}, {"p"}, {"br"}),
    ("content.xml", r"(content|styles)\.xml", set(), {"p", "h", "table-row"}, {"tab", "s", "line-break"}),
)


def office(file):
    """The text in an archive of XML files; an archive of another kind has none."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        for mark, members, texts, lines, blanks in KINDS:
            if mark in names:
                text, room = Text(), MOST_UNPACKED
                for name in sorted(filter(re.compile(members).fullmatch, names), key=order):
                    room = read_member(archive, name, room, Elements(text, texts, lines, blanks))
                return text.joined()
    return ""


def order(name):
    """Slide 10 comes after slide 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


class Elements:
    """Takes the text of some elements from a stream of XML."""

    def __init__(self, text, texts, lines, blanks):
        self.text, self.texts, self.lines, self.blanks = text, texts, lines, blanks
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        # Office documents have no document type, and an entity in one may be as large as it likes.
        self.parser.StartDoctypeDeclHandler = self.refuse

    def start(self, name, attributes):
        name = name.rpartition(":")[2]
        self.depth += name in self.texts
        if name in self.blanks:
            self.text.add(" ")

    def end(self, name):
        name = name.rpartition(":")[2]
        self.depth -= name in self.texts
        if name in self.lines:
            self.text.add("\n")

    def data(self, data):
        if (self.depth or not self.texts) and not self.text.is_full():
            self.text.add(data)

    def refuse(self, *_):
        raise ValueError("a document type in an office document")


def read_member(archive, name, room, elements):
    """Reads a member as far as there is room, and returns what room is left."""
    if archive.getinfo(name).compress_type not in PACKED:
        raise ValueError("a compression that office documents do not have")
    # A parser may begin a long tag again with each piece, so that equal ones take the square of its length.
    size = PIECE
    with archive.open(name) as member:
        while room > 0 and not elements.text.is_full():
            piece = member.read(min(size, room))
            room -= len(piece)
            elements.parser.Parse(piece, not piece)
            if not piece:
                break
            size *= 2
    return room


prepare()

if __name__ == "__main__":
    import sys

    for path in sys.argv[1:]:
        print(extract({"name": os.path.basename(path), "path": path}))
