"""The one place where an error becomes a page, a JSON body or a fragment.

The status comes from the kind of the error, the sentence from its code.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from nguon.core.errors import (
    AbsentError,
    ConflictError,
    DomainError,
    GoneError,
    InvalidError,
    RefusedError,
    TooManyError,
)
from nguon.people.answers import is_htmx, wants_json
from nguon.web.sentences import sentence

# The narrower kind first.
STATUS: dict[type[DomainError], int] = {
    TooManyError: 429,
    RefusedError: 403,
    GoneError: 410,
    AbsentError: 404,
    ConflictError: 409,
    InvalidError: 422,
}
HEADLINES = {
    400: "Yêu cầu không đọc được",
    403: "Chưa được phép",
    404: "Không tìm thấy",
    405: "Chưa làm gì",
    409: "Đã có thay đổi",
    410: "Đã rút lại",
    422: "Cần sửa lại",
    429: "Thử quá nhiều lần",
    500: "Máy chủ gặp lỗi",
}


def status_of(error: DomainError) -> int:
    """Return the HTTP status that the kind of an error means."""
    return next((s for kind, s in STATUS.items() if isinstance(error, kind)), 422)


def respond(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer a request that ended in a foreseen error."""
    return _answer(
        request, status=status_of(error), code=error.code, data=dict(error.data)
    )


def body(code: str, data: dict[str, object] | None = None) -> dict[str, object]:
    """Return what a program is told about an error."""
    return {"code": code, "message": sentence(code, data), "data": data or {}}


def _answer(
    request: HttpRequest, *, status: int, code: str, data: dict[str, object]
) -> HttpResponse:
    message = sentence(code, data)
    if wants_json(request):
        return JsonResponse(
            body(code, data), status=status, json_dumps_params={"default": str}
        )
    context = {"headline": HEADLINES[status], "message": message, "status": status}
    if is_htmx(request):
        answer = render(request, "web/toast.html", context, status=status)
        answer["HX-Retarget"] = "#toasts"
        answer["HX-Reswap"] = "beforeend"
        return answer
    return render(request, "web/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what could not be read."""
    return _answer(request, status=400, code="web.request_unusable", data={})


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what this person may not open."""
    return _answer(request, status=403, code="web.refused", data={})


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    return _answer(request, status=404, code="web.absent", data={})


def method_not_allowed(request: HttpRequest, *, allowed: str) -> HttpResponse:
    """Answer who opens an address that is only for a button, or the other way."""
    answer = _answer(request, status=405, code="web.method_wrong", data={})
    answer["Allow"] = allowed
    return answer


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer who tries too often."""
    return _answer(request, status=429, code="web.too_many", data={})


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something unforeseen broke."""
    return _answer(request, status=500, code="web.broken", data={})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose proof of origin is missing or too old."""
    return _answer(request, status=403, code="web.form_old", data={})
