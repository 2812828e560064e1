"""The dictionary of a place, word by word with its sound; and a draft as it is said."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from nguon.fleet import tables
from nguon.newsroom import actions, lexicon, manner
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.dictionary import dictionary_of, list_words, reading_of
from nguon.newsroom.forms import read_number
from nguon.people import access as people_access
from nguon.people.answers import officer_of, table_file
from nguon.people.models import AUTHOR
from nguon.speech import text
from nguon.speech.render import render_spoken
from nguon.speech.voice import Manner
from nguon.territory.models import Unit

HEAD = ("viết", "đọc")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the words that hold in a place, to search, hear, add and drop."""
    at = timezone.now()
    unit = _unit(request, at)
    query = request.GET.get("tim", "").strip()
    words = list_words(unit, query=query)
    may_write = [
        one.pk
        for one in Unit.objects.filter(pk__in=unit.ancestor_ids)
        if people_access.can(officer_of(request), AUTHOR, unit=one, at=at)
    ]
    context = {
        "unit": unit,
        "units": people_access.units_of(officer_of(request), at=at),
        "words": words[:200],
        "count": words.count(),
        "query": query,
        "may_write": may_write,
        "can_add": unit.pk in may_write,
        "written": request.GET.get("chu", ""),
        "spoken": request.GET.get("doc", ""),
        "bulletin_uid": request.GET.get("ban-tin", ""),
    }
    return render(request, "newsroom/dictionary.html", context)


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep one word; then back to where the person came from."""
    at = timezone.now()
    unit = _unit(request, at)
    written = request.POST.get("written", "")
    word = actions.set_word(
        unit=unit,
        written=written,
        spoken=request.POST.get("spoken", ""),
        by=officer_of(request),
        at=at,
    )
    messages.success(request, f"Đã lưu: “{word.written}” đọc là “{word.spoken}”.")
    bulletin = request.POST.get("bulletin", "")
    if bulletin:
        access_bulletin(uid=bulletin, officer=officer_of(request), at=at)
        return redirect("newsroom:preview", bulletin)
    return redirect(_address(unit))


@require_POST
def remove(request: HttpRequest, word_id: int) -> HttpResponse:
    """Drop one word."""
    unit = actions.remove_word(
        word_id=word_id, by=officer_of(request), at=timezone.now()
    )
    messages.success(request, "Đã bỏ từ.")
    return redirect(_address(unit))


@require_POST
def take_in(request: HttpRequest) -> HttpResponse:
    """Take the words of a CSV or XLSX file: all of them, or none with the reasons."""
    at = timezone.now()
    unit = _unit(request, at)
    sent = request.FILES.get("file")
    if sent is None:
        raise lexicon.WordError("newsroom.word_file_missing")
    words = []
    for number, cells in tables.read(sent.read()):
        written, spoken = [*cells, "", ""][:2]
        if (written.strip().lower(), spoken.strip().lower()) != HEAD:
            words.append((number, written, spoken))
    try:
        count = actions.import_words(
            unit=unit, rows=words, by=officer_of(request), at=at
        )
    except actions.WrongRowsError as error:
        told = ", ".join(map(str, error.rows))
        messages.error(request, f"Chưa nhập từ nào. Hãy sửa các dòng: {told}.")
        return redirect(_address(unit))
    messages.success(request, f"Đã nhập {count} từ.")
    return redirect(_address(unit))


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give the words that hold in a place as a file."""
    unit = _unit(request, timezone.now())
    rows = [
        (word.written, word.spoken, word.unit.full_name, word.saved_by.full_name)
        for word in list_words(unit, query=request.GET.get("tim", "").strip())
    ]
    return table_file(f"tu-dien-{unit.code}", (*HEAD, "nơi", "người lưu"), rows)


@require_safe
def hear(request: HttpRequest) -> HttpResponse:
    """Say one word in the built-in voice."""
    said = lexicon.clean(request.GET.get("doc", ""))
    if not 1 <= len(said) <= lexicon.SPOKEN_LIMIT:
        raise lexicon.WordError("newsroom.word_spoken", limit=lexicon.SPOKEN_LIMIT)
    people_access.check_can(
        officer_of(request),
        AUTHOR,
        unit=_unit(request, timezone.now()),
        at=timezone.now(),
    )
    sound = render_spoken(text.normalise(said), language="vi", voice_name="vi")
    answer = HttpResponse(sound.mp3, content_type="audio/mpeg")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


@require_safe
def preview(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a draft sentence by sentence, as written and as it will be said."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    dictionary = dictionary_of(bulletin.unit)
    reading = reading_of(bulletin, dictionary.words)
    context = {
        "bulletin": bulletin,
        "parts": [(part, _cut(part)) for part in reading.parts],
        "doubts": reading.doubts,
        "dictionary": dictionary,
        "manner": manner.manner_of(bulletin.manner, language="vi"),
        "voices": manner.list_voices(),
        "manners": [
            ("speed", "Tốc độ", manner.SPEEDS.items()),
            ("pitch", "Độ cao", manner.PITCHES.items()),
            ("volume", "Âm lượng", manner.VOLUMES.items()),
        ],
        "can_add": people_access.can(
            officer_of(request), AUTHOR, unit=bulletin.unit, at=at
        ),
    }
    return render(request, "newsroom/preview.html", context)


@require_POST
def choose(request: HttpRequest, uid: str) -> HttpResponse:
    """Keep which voice reads a draft, and how."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    sent = request.POST
    chosen = Manner(
        voice=sent.get("voice", "vi"),
        speed=read_number(sent.get("speed"), 100),
        pitch=read_number(sent.get("pitch"), 100),
        volume=read_number(sent.get("volume"), 100),
    )
    actions.choose_manner(
        bulletin_id=bulletin.pk, manner=chosen, by=officer_of(request), at=at
    )
    messages.success(request, "Đã chọn giọng. Hãy nghe thử lại.")
    return redirect("newsroom:preview", uid)


def _cut(part: text.Part) -> list[tuple[str, str]]:
    """Return the written sentence in pieces: text, and why it is doubtful, if so."""
    pieces, at = [], 0
    for doubt in part.doubts:
        start, end = doubt.start - part.start, doubt.end - part.start
        pieces += [(part.written[at:start], ""), (part.written[start:end], doubt.why)]
        at = end
    return [piece for piece in [*pieces, (part.written[at:], "")] if piece[0]]


def _unit(request: HttpRequest, at: datetime) -> Unit:
    """Return the place that is meant: the one named, else the officer's first."""
    officer = officer_of(request)
    uid = request.POST.get("unit") or request.GET.get("noi")
    if uid:
        return people_access.access_unit(officer, uid, at=at)
    units = people_access.units_of(officer, at=at)
    if not units:
        raise people_access.NoRightError(AUTHOR)
    return units[0]


def _address(unit: Unit) -> str:
    return f"{reverse('newsroom:dictionary')}?{urlencode({'noi': unit.uid})}"
