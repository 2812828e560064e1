"""The library's full-text search: one table, `newsroom_search`, on both databases.

Words and marks are computed here, so no extension is needed: SQLite keeps them in an
FTS5 table, PostgreSQL as a `tsvector` under a GIN index. A mark says on whose ground a
bulletin lies, its field and its class, so the index itself looks only where an officer
may; the caller's fenced queryset decides again. Ranking is plain Python over the
newest candidates, the same on both databases.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.db.models import QuerySet

from nguon.newsroom.models import Bulletin
from nguon.territory.names import fold

TABLE = "newsroom_search"
# Ranked are the newest that match; whoever needs older ones adds a word or a filter.
CANDIDATES = 300
WORDS_LIMIT = 12
# A word that may still be typed is looked up by its beginning.
PREFIX_LETTERS = 3
SNIPPET_WORDS = 28
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Snippet:
    """A piece of text; `hit` when it is one of the words asked for."""

    text: str
    hit: bool


@dataclass(frozen=True)
class Found:
    """What matched, best first; `more` when older ones were not ranked."""

    keys: Sequence[int]
    more: bool


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are searched: without accents."""
    return _WORD.findall(fold(text))


def ground_mark(path: str) -> str:
    """Return the mark of the ground below a path: that of its last unit."""
    return f"u{path.strip('/').rsplit('/', 1)[-1]}"


def index_bulletin(bulletin: Bulletin) -> None:
    """Write what a bulletin is found by; in the transaction that saves it."""
    index_rows(
        [
            (
                bulletin.pk,
                bulletin.title,
                bulletin.body,
                bulletin.unit.path,
                bulletin.field,
                bulletin.klass,
            )
        ]
    )


def index_rows(rows: Iterable[tuple[int, str, str, str, int, str]]) -> None:
    """Write (key, title, body, unit path, field, class) of many bulletins."""
    entries = [
        (key, words_of(title), words_of(body), _marks(path, field, klass))
        for key, title, body, path, field, klass in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(
                f"DELETE FROM {TABLE} WHERE rowid = %s",  # noqa: S608
                [(key,) for key, *_rest in entries],
            )
            cursor.executemany(
                f"INSERT INTO {TABLE}(rowid, title, body, marks)"  # noqa: S608
                " VALUES (%s, %s, %s, %s)",
                [
                    (key, " ".join(title), " ".join(body), " ".join(marks))
                    for key, title, body, marks in entries
                ],
            )
        else:
            cursor.executemany(
                f"INSERT INTO {TABLE}(id, words)"  # noqa: S608
                " VALUES (%s, array_to_tsvector(%s))"
                " ON CONFLICT (id) DO UPDATE SET words = EXCLUDED.words",
                [
                    (key, _lexemes(title, body, marks))
                    for key, title, body, marks in entries
                ],
            )


def rebuild(*, batch: int = 2_000) -> int:
    """Index every bulletin anew, as after a merge of communes; return how many."""
    rows = Bulletin.objects.order_by("pk").values_list(
        "pk", "title", "body", "unit__path", "field", "klass"
    )
    done, latest = 0, 0
    while part := list(rows.filter(pk__gt=latest)[:batch]):
        index_rows(part)
        done, latest = done + len(part), part[-1][0]
    return done


def find(
    seen: QuerySet[Bulletin],
    text: str,
    *,
    paths: Collection[str],
    field: int | None = None,
    klass: str | None = None,
) -> Found:
    """Return the bulletins of `seen` that hold every word, best first.

    `paths` is the ground of whoever asks, `seen` their fenced queryset: both must let
    a bulletin through. A text without any word finds nothing.
    """
    words = words_of(text)[:WORDS_LIMIT]
    if not words or not paths:
        return Found([], more=False)
    marks = [f"f{field}"] if field is not None else []
    marks += [f"k{klass}"] if klass is not None else []
    grounds = [] if "/" in paths else sorted({ground_mark(path) for path in paths})
    in_title = _candidates(words, grounds, marks, title_only=True)
    anywhere = _candidates(words, grounds, marks, title_only=False)
    rows = seen.filter(pk__in={*in_title, *anywhere})
    scored = [
        (_score(text, words, title, body, folded), key)
        for key, title, body, folded in rows.values_list(
            "pk", "title", "body", "folded"
        )
    ]
    best = sorted(((-score, -key) for score, key in scored if score > 0))
    return Found([-key for _score, key in best], more=len(anywhere) >= CANDIDATES)


def snippet(text: str, asked: str) -> list[Snippet]:
    """Return the part of a text around the first word asked for, its hits marked."""
    wanted = words_of(asked)
    places = list(re.finditer(r"[^\W_]+", unicodedata.normalize("NFC", text)))
    composed = unicodedata.normalize("NFC", text)
    hits = [_is_hit(place[0], wanted) for place in places]
    first = hits.index(True) if True in hits else 0
    start = max(0, first - SNIPPET_WORDS // 4)
    shown = range(start, min(len(places), start + SNIPPET_WORDS))
    pieces: list[Snippet] = [Snippet("… ", hit=False)] if start else []
    for number in shown:
        after = (
            places[number + 1].start() if number + 1 < len(places) else len(composed)
        )
        pieces.append(Snippet(places[number][0], hit=hits[number]))
        pieces.append(Snippet(composed[places[number].end() : after], hit=False))
    if shown and shown[-1] + 1 < len(places):
        pieces.append(Snippet("…", hit=False))
    return pieces


def _marks(path: str, field: int, klass: str) -> list[str]:
    grounds = [f"u{key}" for key in path.strip("/").split("/") if key]
    return [*grounds, f"f{field}", f"k{klass}"]


def _lexemes(title: list[str], body: list[str], marks: list[str]) -> list[str]:
    """Return what PostgreSQL indexes; a sign before it keeps kinds apart."""
    lexemes = {*title, *body, *(f"={w}" for w in title), *(f"#{m}" for m in marks)}
    return sorted(lexeme[:500] for lexeme in lexemes)


def _candidates(
    words: list[str], grounds: list[str], marks: list[str], *, title_only: bool
) -> list[int]:
    """Return the newest keys that the index holds for these words and marks."""
    on = connection.vendor
    ask = _fts5 if on == "sqlite" else _tsquery
    query = ask(words, grounds, marks, title_only=title_only)
    statement = {
        "sqlite": f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608
        " ORDER BY rowid DESC LIMIT %s",
        "postgresql": f"SELECT id FROM {TABLE} WHERE words @@ %s::tsquery"  # noqa: S608
        " ORDER BY id DESC LIMIT %s",
    }[on]
    with connection.cursor() as cursor:
        cursor.execute(statement, [query, CANDIDATES])
        return [row[0] for row in cursor.fetchall()]


def _last_is_open(words: list[str]) -> bool:
    return len(words[-1]) >= PREFIX_LETTERS


def _fts5(
    words: list[str], grounds: list[str], marks: list[str], *, title_only: bool
) -> str:
    quoted = [f'"{word}"' for word in words]
    if _last_is_open(words):
        quoted[-1] += " *"
    where = "title" if title_only else "{title body}"
    parts = [f"{where} : ({' AND '.join(quoted)})"]
    parts += [f'marks : "{mark}"' for mark in marks]
    if grounds:
        parts.append(f"marks : ({' OR '.join(grounds)})")
    return " AND ".join(parts)


def _tsquery(
    words: list[str], grounds: list[str], marks: list[str], *, title_only: bool
) -> str:
    sign = "=" if title_only else ""
    quoted = [f"'{sign}{word}'" for word in words]
    if _last_is_open(words):
        quoted[-1] += ":*"
    parts = quoted + [f"'#{mark}'" for mark in marks]
    if grounds:
        parts.append("(" + " | ".join(f"'#{ground}'" for ground in grounds) + ")")
    return " & ".join(parts)


def _score(text: str, words: list[str], title: str, body: str, folded: str) -> int:
    """Return how well a bulletin answers; 0 when the index was mistaken.

    The title counts before the body, words that stand together before scattered
    ones, and the accents as typed before other words with the same letters.
    """
    if not all(word in folded for word in words):
        return 0
    score = 1
    name = fold(title)
    together = " ".join(words)
    score += 4 * all(word in name for word in words)
    score += 4 * (together in name) + 2 * (together in folded)
    typed = " ".join(unicodedata.normalize("NFC", text).lower().split())
    if typed != fold(typed):
        whole = unicodedata.normalize("NFC", f"{title}\n{body}").lower()
        score += 3 * (typed in whole)
    return score


@lru_cache(maxsize=20_000)
def _folded_word(word: str) -> str:
    return fold(word)


def _is_hit(word: str, wanted: list[str]) -> bool:
    folded = _folded_word(word)
    if folded in wanted:
        return True
    return bool(wanted) and _last_is_open(wanted) and folded.startswith(wanted[-1])
