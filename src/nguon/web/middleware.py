"""What every answer gets: errors as sentences, safe headers, small text."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from nguon.core.errors import DomainError
from nguon.people.answers import is_htmx, wants_json
from nguon.web import errors
from nguon.web.sentences import sentence

Onward = Callable[[HttpRequest], HttpResponse]

# Everything is served by us; no inline script or style runs anywhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# The microphone is for live speech, on our own pages alone.
PERMISSIONS_POLICY = "camera=(), geolocation=(self), microphone=(self)"
TEXT_KINDS = (
    "text/",
    "application/json",
    "application/javascript",
    "image/svg+xml",
)


class DomainErrorMiddleware:
    """Turns a foreseen error of any view into its answer."""

    def __init__(self, get_response: Onward) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Answer a DomainError; leave everything else to Django."""
        if isinstance(exception, DomainError):
            return errors.respond(request, exception)
        return None


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every address is behind sign-in, unless its view says otherwise."""

    def handle_no_permission(  # type: ignore[override]  # JSON is no redirect
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """Send a person to the sign-in page; tell a program so."""
        if wants_json(request):
            return JsonResponse(errors.body("web.sign_in"), status=401)
        if is_htmx(request):
            return HttpResponse(status=204, headers={"HX-Redirect": "/"})
        if request.method == "POST":
            # Somebody pressed a button, perhaps "stop", and nothing has happened.
            messages.error(request, sentence("web.not_done"))
        return super().handle_no_permission(request, view_func)


class SafeHeadersMiddleware:
    """Adds the headers that keep a page ours alone."""

    def __init__(self, get_response: Onward) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with safe headers."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        # What one officer sees is kept in no shared cache and not after sign-out.
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.setdefault("Cache-Control", "private, no-store")
        return response


class CompressTextMiddleware(GZipMiddleware):
    """Compresses text and nothing else: a sound must answer ranges of itself."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress a page, a script, a style, a drawing.

        A static file is small: it is read whole, so that no server thread streams it.
        """
        if not response.get("Content-Type", "").startswith(TEXT_KINDS):
            return response
        if isinstance(response, FileResponse) and response.status_code == HTTPStatus.OK:
            whole = HttpResponse(b"".join(response), headers=dict(response.headers))
            response.close()
            response = whole
        return super().process_response(request, response)
