"""My notices, my account; the officers of a unit, their roles and deputies.

Each view reads the request and the clock, then makes one call. Errors of the domain
go up: the frame answers them, as a page or beside the form that was sent.
"""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import InvalidError
from nguon.people import access, actions, queries
from nguon.people.answers import done, officer_of
from nguon.people.forms import find_officer, read_edge, read_text
from nguon.people.models import ADMINISTRATOR, ROLES, Officer
from nguon.territory.models import Unit

PAGE = 50


def _now() -> datetime:
    return timezone.now()


@require_safe
def show_notices(request: HttpRequest) -> HttpResponse:
    """Show what an officer should know, unread first, the same of a day in one line."""
    officer = officer_of(request)
    notices = Paginator(queries.list_notices(officer), PAGE)
    page = notices.get_page(request.GET.get("trang"))
    lines = queries.open_lines(officer, list(page))
    return render(request, "people/notices.html", {"lines": lines, "page": page})


@require_POST
def read_notices(request: HttpRequest) -> HttpResponse:
    """Mark all of them as read."""
    count = actions.mark_read(officer=officer_of(request), at=_now())
    return done(request, to=reverse("people:notices"), data={"read": count})


@require_safe
def show_account(request: HttpRequest) -> HttpResponse:
    """Show one's own roles, deputies, absences and how one is reached."""
    officer, at = officer_of(request), _now()
    context = {
        "officer": officer,
        "roles": queries.list_roles(officer, at=at),
        "deputised": queries.list_deputised(officer, at=at),
        "absences": queries.list_absences(officer, at=at),
        "colleagues": queries.list_officers(officer, at=at)[: 4 * PAGE],
        "now": at,
    }
    return render(request, "people/account.html", context)


@require_POST
def change_my_contact(request: HttpRequest) -> HttpResponse:
    """Change one's own address and number."""
    officer = officer_of(request)
    _change_contact(request, officer)
    return done(request, to=reverse("people:account"), data={"officer": officer.pk})


@require_POST
def announce_my_absence(request: HttpRequest) -> HttpResponse:
    """Say that one is away."""
    officer = officer_of(request)
    _announce_absence(request, officer)
    return done(request, to=reverse("people:account"), data={"officer": officer.pk})


@require_POST
def end_absence(request: HttpRequest, absence_id: int) -> HttpResponse:
    """Say that somebody is back."""
    officer = officer_of(request)
    absence = actions.end_absence(absence_id=absence_id, by=officer, at=_now())
    messages.success(request, "Đã kết thúc kỳ vắng mặt.")
    return done(
        request, to=_page_of(request, absence.officer), data={"absence": absence.pk}
    )


@require_safe
def list_officers(request: HttpRequest) -> HttpResponse:
    """Show the officers of one's ground; search by name."""
    officer, at = officer_of(request), _now()
    text = request.GET.get("q", "").strip()[:60]
    found = queries.list_officers(officer, at=at, text=text)
    context = {
        "page": Paginator(found, PAGE).get_page(request.GET.get("trang")),
        "text": text,
        "roles": ROLES,
        "administers": bool(access.paths_of(officer, at=at, kinds=[ADMINISTRATOR])),
    }
    return render(request, "people/officers.html", context)


@require_safe
def new_officer(request: HttpRequest) -> HttpResponse:
    """Show the form for a new officer, or for a role of one who has an account."""
    officer, at = officer_of(request), _now()
    access.check_administrator(officer, at=at)
    context = {"units": _grantable(officer, at=at), "roles": ROLES}
    return render(request, "people/new_officer.html", context)


@require_POST
@sensitive_post_parameters("password")
def register_officer(request: HttpRequest) -> HttpResponse:
    """Register an officer with a first role."""
    by, at = officer_of(request), _now()
    officer = actions.register_officer(
        username=read_text(request, "username"),
        full_name=read_text(request, "full_name"),
        password=read_text(request, "password"),
        email=read_text(request, "email"),
        phone=read_text(request, "phone"),
        unit=access.access_unit(by, read_text(request, "unit"), at=at),
        kind=read_text(request, "kind"),
        by=by,
        at=at,
    )
    messages.success(request, f"Đã thêm {officer.full_name}.")
    return done(request, to=_officer_page(officer), data={"officer": officer.pk})


@require_POST
def grant_role(request: HttpRequest) -> HttpResponse:
    """Give a role to whoever has this user name."""
    by, at = officer_of(request), _now()
    unit = access.access_unit(by, read_text(request, "unit"), at=at)
    access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    officer = find_officer(read_text(request, "username"))
    role = actions.grant_role(
        officer=officer, unit=unit, kind=read_text(request, "kind"), by=by, at=at
    )
    messages.success(request, f"Đã giao vai trò cho {officer.full_name}.")
    return done(request, to=_officer_page(officer), data={"role": role.pk})


@require_safe
def show_officer(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Show one officer to an administrator: account, roles, deputies, absences."""
    by, at = officer_of(request), _now()
    officer = access.access_officer(by, officer_id, at=at)
    ground = access.paths_of(by, at=at, kinds=[ADMINISTRATOR])
    roles = queries.list_roles(officer, at=at)
    context = {
        "officer": officer,
        "held": [
            (role, any(role.unit.path.startswith(path) for path in ground))
            for role in roles
        ],
        "deputised": queries.list_deputised(officer, at=at),
        "absences": queries.list_absences(officer, at=at),
        "manages": access.manages(by, officer, at=at) and by.pk != officer.pk,
        "mine": by.pk == officer.pk,
        "colleagues": queries.list_officers(by, at=at)[: 4 * PAGE],
        "units": _grantable(by, at=at),
        "roles": ROLES,
        "now": at,
    }
    return render(request, "people/officer.html", context)


@require_POST
def end_role(request: HttpRequest, role_id: int) -> HttpResponse:
    """End a role now."""
    role = actions.end_role(role_id=role_id, by=officer_of(request), at=_now())
    messages.success(request, "Đã kết thúc vai trò.")
    return done(request, to=_officer_page(role.officer), data={"role": role.pk})


@require_POST
def name_deputy(request: HttpRequest, role_id: int) -> HttpResponse:
    """Let somebody hold a role for a while."""
    at = _now()
    deputy = actions.name_deputy(
        role_id=role_id,
        officer=find_officer(read_text(request, "username")),
        from_at=read_edge(request, "from", at=at),
        to_at=read_edge(request, "to", at=at),
        by=officer_of(request),
        at=at,
    )
    messages.success(request, f"{deputy.officer.full_name} sẽ thay.")
    return done(
        request, to=_page_of(request, deputy.role.officer), data={"deputy": deputy.pk}
    )


@require_POST
def end_deputy(request: HttpRequest, deputy_id: int) -> HttpResponse:
    """End a deputy's time now."""
    officer = officer_of(request)
    deputy = actions.end_deputy(deputy_id=deputy_id, by=officer, at=_now())
    messages.success(request, "Đã kết thúc việc thay.")
    owner = officer if deputy.officer_id == officer.pk else deputy.role.officer
    return done(request, to=_page_of(request, owner), data={"deputy": deputy.pk})


@require_POST
@sensitive_post_parameters("password")
def reset_password(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Give an officer a new password."""
    by, at = officer_of(request), _now()
    officer = access.access_officer(by, officer_id, at=at)
    password = read_text(request, "password")
    actions.reset_password(officer=officer, password=password, by=by, at=at)
    messages.success(request, f"Đã đặt lại mật khẩu của {officer.full_name}.")
    return done(request, to=_officer_page(officer), data={"officer": officer.pk})


@require_POST
def switch_officer(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Shut an account, or open it again."""
    by, at = officer_of(request), _now()
    officer = access.access_officer(by, officer_id, at=at)
    wanted = request.POST.get("state")
    if wanted == "locked":
        actions.lock_officer(officer=officer, by=by, at=at)
        messages.success(request, f"Đã khoá tài khoản của {officer.full_name}.")
    elif wanted == "open":
        actions.unlock_officer(officer=officer, by=by, at=at)
        messages.success(request, f"Đã mở tài khoản của {officer.full_name}.")
    else:
        raise InvalidError("people.state_unknown")
    return done(request, to=_officer_page(officer), data={"officer": officer.pk})


@require_POST
def change_contact(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Change how an officer is reached."""
    officer = access.access_officer(officer_of(request), officer_id, at=_now())
    _change_contact(request, officer)
    return done(request, to=_officer_page(officer), data={"officer": officer.pk})


@require_POST
def announce_absence(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Say for an officer that they are away."""
    officer = access.access_officer(officer_of(request), officer_id, at=_now())
    _announce_absence(request, officer)
    return done(request, to=_officer_page(officer), data={"officer": officer.pk})


def _change_contact(request: HttpRequest, officer: Officer) -> None:
    actions.change_contact(
        officer=officer,
        email=read_text(request, "email"),
        phone=read_text(request, "phone"),
        by=officer_of(request),
        at=_now(),
    )
    messages.success(request, "Đã lưu cách liên lạc.")


def _announce_absence(request: HttpRequest, officer: Officer) -> None:
    at = _now()
    actions.announce_absence(
        officer=officer,
        from_at=read_edge(request, "from", at=at),
        to_at=read_edge(request, "to", at=at),
        by=officer_of(request),
        at=at,
    )
    messages.success(request, "Đã ghi thời gian vắng mặt.")


def _grantable(officer: Officer, *, at: datetime) -> list[Unit]:
    return queries.list_grantable_units(officer, at=at, day=timezone.localdate(at))


def _officer_page(officer: Officer) -> str:
    return reverse("people:officer", args=[officer.pk])


def _page_of(request: HttpRequest, officer: Officer) -> str:
    mine = officer.pk == officer_of(request).pk
    return reverse("people:account") if mine else _officer_page(officer)
