"""How a task goes down and comes back, as tables and plain functions."""

from dataclasses import dataclass
from datetime import date

from nguon.core import typed
from nguon.core.errors import ConflictError, InvalidError
from nguon.indicators import catalogue

DRAFT, SENT, CLOSED = "draft", "sent", "closed"
PLAN_STATES = {DRAFT: "Đang soạn", SENT: "Đang thực hiện", CLOSED: "Đã kết thúc"}

BASE, GUIDANCE = "base", "guidance"
DOCUMENT_KINDS = {BASE: "Căn cứ", GUIDANCE: "Văn bản chỉ đạo"}

GIVEN, READ, ASSIGNED, RETURNED, DONE = (
    "given", "read", "assigned", "returned", "done",
)  # fmt: skip
STATES = {
    GIVEN: "Chưa nhận",
    READ: "Đã nhận",
    ASSIGNED: "Đã giao người",
    RETURNED: "Bị trả lại",
    DONE: "Đã xong",
}
# From which states an act is possible; what is not here is refused.
ALLOWED = {
    "read": {GIVEN},
    "assign": {READ, ASSIGNED, RETURNED},
    "tell": {READ, ASSIGNED, RETURNED},
    "done": {ASSIGNED, RETURNED},
    "return": {DONE},
}

TOLD, REPORTED_DONE, SENT_BACK = "told", "done", "returned"
PROGRESS_KINDS = {
    TOLD: "Báo tiến độ",
    REPORTED_DONE: "Báo xong",
    SENT_BACK: "Trả lại",
}

OPEN, ANSWERED, SETTLED = "open", "answered", "closed"
FINDING_STATES = {
    OPEN: "Chưa khắc phục",
    ANSWERED: "Đơn vị đã trả lời",
    SETTLED: "Đã khắc phục",
}
# Into each state from which ones.
FINDING_FROM = {ANSWERED: {OPEN}, SETTLED: {ANSWERED}, OPEN: {ANSWERED, SETTLED}}

MAX_TITLE, MAX_WORDS, MAX_LINK, MAX_LINES = 400, 2_000, 400, 10_000
MAX_TASKS, MAX_PHOTOS = 100, 20
SOON_DAYS = 14


@dataclass(frozen=True)
class Facts:
    """What is known of one assignment; moments are told by whether they are there."""

    read: bool
    assigned: bool
    returned: bool
    done: bool


def state_of(facts: Facts) -> str:
    """Return where an assignment stands: the latest of what happened to it."""
    if facts.done:
        return DONE
    if facts.returned:
        return RETURNED
    if facts.assigned:
        return ASSIGNED
    return READ if facts.read else GIVEN


def is_late(last_date: date | None, *, done: bool, today: date) -> bool:
    """Say whether something should have been done; its last day is still in time."""
    return last_date is not None and not done and last_date < today


def days_late(last_date: date | None, *, today: date) -> int:
    """Return by how many days the last day is over; 0 when it is not."""
    return max(0, (today - last_date).days) if last_date else 0


@dataclass(frozen=True)
class PlanWords:
    """What a plan says of itself, as it was typed; checked by `check_plan`."""

    title: str
    first_date: date
    last_date: date
    number: str = ""
    signed_on: date | None = None
    aims: str = ""
    demands: str = ""


@dataclass(frozen=True)
class TaskWords:
    """What a task says, as it was typed; checked by `check_task`."""

    title: str
    lead: str
    product: str
    partners: str = ""
    last_date: date | None = None
    indicator: str = ""


@dataclass(frozen=True)
class DocumentWords:
    """What is known of a paper, as it was typed; checked by `check_document`."""

    kind: str
    number: str
    issuer: str
    abstract: str
    issued_on: date | None = None
    link: str = ""


def clean(text: str, *, most: int, what: str, needed: bool = True) -> str:
    """Return one line without stray blanks.

    Raises InvalidError `plan.text_missing`, `plan.text_long` with `what` is meant.
    """
    line = typed.one_line(text)
    if needed and not line:
        raise InvalidError("plan.text_missing", what=what)
    if len(line) > most:
        raise InvalidError("plan.text_long", what=what, most=most)
    return line


def clean_lines(text: str, *, what: str) -> str:
    """Return lines without stray blanks. Raises InvalidError `plan.text_long`."""
    kept = "\n".join(typed.lines(text))
    if len(kept) > MAX_LINES:
        raise InvalidError("plan.text_long", what=what, most=MAX_LINES)
    return kept


def clean_link(text: str) -> str:
    """Return an address of the web, or nothing. Raises InvalidError `plan.link`."""
    link = typed.without_unseen(text).strip()
    if not link:
        return ""
    is_web = link.startswith(("https://", "http://"))
    if not is_web or len(link) > MAX_LINK or any(c.isspace() for c in link):
        raise InvalidError("plan.link")
    return link


def check_plan(words: PlanWords) -> PlanWords:
    """Return a plan's words made clean. Raises InvalidError `plan.…`."""
    if words.last_date < words.first_date:
        raise InvalidError("plan.period_empty")
    return PlanWords(
        title=clean(words.title, most=MAX_TITLE, what="tên kế hoạch"),
        number=clean(words.number, most=60, what="số, ký hiệu", needed=False),
        signed_on=words.signed_on,
        first_date=words.first_date,
        last_date=words.last_date,
        aims=clean_lines(words.aims, what="mục đích"),
        demands=clean_lines(words.demands, what="yêu cầu"),
    )


def check_task(words: TaskWords) -> TaskWords:
    """Return a task's words made clean. Raises InvalidError `plan.…`."""
    if words.indicator:
        catalogue.find(words.indicator)
    return TaskWords(
        title=clean(words.title, most=MAX_TITLE, what="tên nhiệm vụ"),
        lead=clean(words.lead, most=MAX_TITLE, what="đơn vị chủ trì"),
        product=clean(words.product, most=MAX_WORDS, what="kết quả sản phẩm"),
        partners=clean(
            words.partners, most=MAX_TITLE, what="đơn vị phối hợp", needed=False
        ),
        last_date=words.last_date,
        indicator=words.indicator,
    )


def check_within(last_date: date | None, *, plan_first: date, plan_last: date) -> None:
    """Refuse a deadline outside its plan. Raises InvalidError `plan.task_outside`.

    Who is asked for something after the plan's end waits for nobody.
    """
    if last_date is not None and not plan_first <= last_date <= plan_last:
        raise InvalidError(
            "plan.task_outside",
            first=f"{plan_first:%d/%m/%Y}",
            last=f"{plan_last:%d/%m/%Y}",
        )


def check_document(words: DocumentWords) -> DocumentWords:
    """Return a paper's words made clean. Raises InvalidError `plan.…`."""
    if words.kind not in DOCUMENT_KINDS:
        raise InvalidError("plan.document_kind")
    return DocumentWords(
        kind=words.kind,
        number=clean(words.number, most=60, what="số, ký hiệu văn bản"),
        issuer=clean(words.issuer, most=200, what="cơ quan ban hành"),
        abstract=clean(words.abstract, most=MAX_TITLE, what="trích yếu"),
        issued_on=words.issued_on,
        link=clean_link(words.link),
    )


def check_act(act: str, *, state: str) -> None:
    """Refuse an act that does not follow. Raises ConflictError `plan.not_now`."""
    if state not in ALLOWED[act]:
        raise ConflictError("plan.not_now", state=STATES[state])
