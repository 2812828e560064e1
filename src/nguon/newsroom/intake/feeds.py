"""Foreign RSS 2.0 and Atom read into plain entries; runs in the fetching process only.

By defusedxml: a DTD or an entity is refused, never looked at. Feeds are often written
by hand: an HTML name (`&nbsp;`) or a bare `&` is forgiven, a broken tag is not.
feedparser was weighed and left: it needs a package without a wheel, built on install.
"""

import hashlib
import html
import html.entities
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from nguon.core.errors import InvalidError
from nguon.newsroom import rules

MOST_ENTRIES, MOST_READ = 50, 500
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure"}
    | {"footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p"}
    | {"pre", "section", "table", "td", "th", "tr", "ul"}
)
_UNREAD = frozenset({"script", "style", "template", "iframe", "noscript", "svg"})
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)(?:(\w+);)?")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class FeedError(InvalidError):
    """A feed cannot be read now; the code says why, in a sentence of its own."""


@dataclass(frozen=True)
class Entry:
    """One entry as plain text; `key` is the feed's own name of it."""

    key: str
    title: str
    text: str
    link: str = ""
    published: datetime | None = None


def parse(data: bytes) -> list[Entry]:
    """Return the newest entries of a feed, newest first; one without words is left.

    Raises FeedError `newsroom.feed_hostile`, `newsroom.feed_unreadable`.
    """
    root = _root(data)
    kind = _name(root)
    if kind == "rss":
        items = list(root.iterfind("./channel/item"))
        entries = [_read_rss(item) for item in items[:MOST_READ]]
    elif kind == "feed":
        items = [one for one in root if _name(one) == "entry"]
        entries = [_read_atom(item) for item in items[:MOST_READ]]
    else:
        raise FeedError("newsroom.feed_unreadable")
    told = [entry for entry in entries if entry.title or entry.text]
    return sorted(told, key=_age)[:MOST_ENTRIES]


def _age(entry: Entry) -> float:
    """Return what puts the newest first; those without a day stay last, in order."""
    return -entry.published.timestamp() if entry.published else 0.0


def _root(data: bytes) -> Element:
    try:
        try:
            return _xml(data.removeprefix(b"\xef\xbb\xbf").lstrip())
        except ParseError:
            return _xml(_forgive(data).encode())
    except DefusedXmlException as error:
        raise FeedError("newsroom.feed_hostile") from error
    except (ParseError, ValueError, LookupError) as error:
        raise FeedError("newsroom.feed_unreadable") from error


def _xml(data: bytes) -> Element:
    root: Element = fromstring(data, forbid_dtd=True)
    return root


def _forgive(data: bytes) -> str:
    """Return a feed in UTF-8 with HTML's names and bare `&` as XML wants them."""

    def said(found: re.Match[str]) -> str:
        letter = html.entities.html5.get(f"{found[1]};") if found[1] else None
        return letter if letter and letter not in "<>&" else f"&amp;{found[0][1:]}"

    text = data.decode("utf-8-sig").lstrip()
    text = re.sub(r"^<\?xml[^>]*\?>", "", text)
    return _NAMED.sub(said, _NO_XML.sub("", text))


def _name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _words(item: Element, *names: str) -> str:
    """Return the text of the first child of these names that has any."""
    for name in names:
        for child in item:
            if _name(child) == name and (child.text or "").strip():
                return (child.text or "").strip()
    return ""


def _read_rss(item: Element) -> Entry:
    title = plain(_words(item, "title"))
    link = _words(item, "link")
    return Entry(
        key=_words(item, "guid") or link or _digest(title),
        title=title,
        text=plain(_words(item, "encoded", "description")),
        link=_link(link),
        published=_moment(_words(item, "pubDate", "date")),
    )


def _read_atom(entry: Element) -> Entry:
    links = [one for one in entry if _name(one) == "link"]
    usual = [one for one in links if one.get("rel", "alternate") == "alternate"]
    link = usual[0].get("href", "") if usual else ""
    title = plain(_construct(entry, "title"))
    return Entry(
        key=_words(entry, "id") or link or _digest(title),
        title=title,
        text=plain(_construct(entry, "content") or _construct(entry, "summary")),
        link=_link(link),
        published=_moment(_words(entry, "published", "updated")),
    )


def _construct(entry: Element, name: str) -> str:
    """Return an Atom text as HTML, of whichever type it is (RFC 4287 3.1)."""
    for child in entry:
        if _name(child) != name:
            continue
        if child.get("type") == "xhtml":
            return "".join(_inside(child))
        words = (child.text or "").strip()
        return words if child.get("type") == "html" else html.escape(words)
    return ""


def _inside(element: Element) -> Iterator[str]:
    """Yield the XHTML inside, its names without their namespace."""
    for child in element.iter():
        child.tag = _name(child)
    for child in element:
        yield tostring(child, encoding="unicode")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _link(url: str) -> str:
    """Return an address that a person may open; of any other scheme, none."""
    bare = url.strip()
    is_web = bare.lower().startswith(("https://", "http://"))
    return bare if is_web and len(bare) <= rules.ADDRESS_LIMIT else ""


def _moment(text: str) -> datetime | None:
    """Return a moment as RFC 5322 or RFC 3339 write it; of any other form, none."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, OverflowError):
            continue
        moment = found if found.tzinfo else found.replace(tzinfo=UTC)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            return None
    return None


class _Plain(HTMLParser):
    """Gathers the words of HTML; a block is a line, a script is nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self._unread += tag in _UNREAD
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.words.append("\n")


def plain(markup: str) -> str:
    """Return HTML as text, a paragraph a line; never longer than a bulletin."""
    reader = _Plain()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
    return "\n".join(filter(None, lines))[: rules.BODY_LIMIT]
