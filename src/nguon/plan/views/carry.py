"""The page on which a plan is carried over to today's map: preview, then draft."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.core.errors import InvalidError
from nguon.people import access as people
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.plan import access, actions, carrying, forms


@require_http_methods(["GET", "POST"])
def carry(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what becomes of a plan on today's map; draft it when asked."""
    at = timezone.now()
    officer = officer_of(request)
    plan = access.access_plan(officer, uid, at=at)
    people.check_can(officer, AUTHOR, unit=plan.keeper, at=at)
    error = None
    if request.method == "POST":
        try:
            sent = request.POST.dict()
            made = actions.carry_over(
                plan_id=plan.pk,
                title=sent.get("title", ""),
                first_date=forms.need_day(sent, "first_date", at=at),
                last_date=forms.need_day(sent, "last_date", at=at),
                by=officer,
                at=at,
            )
        except InvalidError as caught:
            if wants_json(request):
                raise
            error = caught
        else:
            if not wants_json(request):
                messages.success(request, "Đã chuyển thành bản thảo mới. Hãy xem lại.")
            to = reverse("plan:plan", args=[made.uid])
            return done(request, to=to, data={"uid": made.uid})
    context = {
        "plan": plan,
        "carried": carrying.preview(plan, day=timezone.localdate(at)),
        "today": timezone.localdate(at),
        "sent": request.POST,
        "error": error,
    }
    return render(request, "plan/carry.html", context, status=422 if error else 200)
