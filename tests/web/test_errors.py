"""Wrong ways to an address: a sentence and the right status, never a blank page."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from nguon.web.middleware import DomainErrorMiddleware


def ask(answer: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    return DomainErrorMiddleware(answer)(RequestFactory().get("/giay-to/x/duyet/"))


def test_an_address_of_a_button_is_no_blank_page() -> None:
    def only_post(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=405, headers={"Allow": "POST"})

    answer = ask(only_post)
    assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert answer["Allow"] == "POST"
    assert "Hãy quay lại trang trước" in answer.content.decode()


@pytest.mark.parametrize("text", ["text fields cannot contain NUL (0x00) bytes"])
def test_what_the_database_cannot_hold_is_a_bad_request(text: str) -> None:
    request = RequestFactory().post("/dai/sua/")
    middleware = DomainErrorMiddleware(lambda _request: HttpResponse())
    answer = middleware.process_exception(request, DataError(text))
    assert answer is not None
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert middleware.process_exception(request, ValueError(text)) is None
