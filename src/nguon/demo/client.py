"""A person at a browser, without the browser: cookies, forms, redirects.

Standard library only, so that the proof of the demo needs nothing but the system.
"""

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What a server answered; `url` is where redirects led."""

    status: int
    url: str
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def path(self) -> str:
        """The path of the address where redirects led."""
        return urllib.parse.urlsplit(self.url).path

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class UnexpectedAnswerError(Exception):
    """A server answered something else than the story needs."""


class _Forms(HTMLParser):
    """Collects the forms of a page: address and the values they would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                {"action": values.get("action", ""), "fields": {}, "buttons": []}
            )
        if not self.forms:
            return
        form = self.forms[-1]
        name = values.get("name", "")
        if tag == "input" and name:
            self._take_input(form, name, values)
        elif tag == "button":
            form["buttons"].append((name, values.get("value", "")))
        elif tag == "textarea" and name:
            self._area = name
            form["fields"][name] = ""
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select:
            chosen = self._select in form["fields"]
            if "selected" in values or not chosen:
                form["fields"][self._select] = values.get("value", "")

    def _take_input(
        self, form: dict[str, Any], name: str, values: dict[str, str]
    ) -> None:
        kind = values.get("type", "text")
        if kind in {"checkbox", "radio"}:
            if "checked" not in values:
                return
            if kind == "checkbox" and name in form["fields"]:
                kept = form["fields"][name]
                many = kept if isinstance(kept, list) else [kept]
                form["fields"][name] = [*many, values.get("value", "on")]
                return
            form["fields"][name] = values.get("value", "on")
        elif kind not in {"submit", "button", "file"}:
            form["fields"][name] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1]["fields"][self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None


class Client:
    """One person's session with the web server."""

    def __init__(self, base: str, timeout: float = 30.0) -> None:
        self.base = base
        self.timeout = timeout
        self.cookies = CookieJar()
        handler = urllib.request.HTTPCookieProcessor(self.cookies)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), handler
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Fetch a page."""
        return self._send(
            urllib.request.Request(self._url(path), headers=headers or {})
        )

    def post(
        self, path: str, fields: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a form, with the token against forged requests."""
        token = self._token()
        data = urllib.parse.urlencode(
            {"csrfmiddlewaretoken": token, **fields}, doseq=True
        )
        request = urllib.request.Request(
            self._url(path),
            data=data.encode(),
            headers={
                "X-CSRFToken": token,
                "Referer": self._url(path),
                **(headers or {}),
            },
        )
        return self._send(request)

    def ask(self, path: str) -> Any:
        """Fetch facts as a program does. Raises UnexpectedAnswerError."""
        return self._facts(self.get(path, JSON))

    def tell(self, path: str, **fields: Any) -> Any:
        """Send a change as a program does. Raises UnexpectedAnswerError."""
        return self._facts(self.post(path, fields, JSON))

    def _facts(self, answer: Answer) -> Any:
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise UnexpectedAnswerError(
                f"{answer.path}: {answer.status} {answer.text[:300]}"
            )
        return answer.json()

    def forms(self, page: Answer) -> list[dict[str, Any]]:
        """Return the forms of a page: action, fields, buttons."""
        parser = _Forms()
        parser.feed(page.text)
        for form in parser.forms:
            form["action"] = urllib.parse.urljoin(page.url, form["action"])
        return parser.forms

    def submit(self, page: Answer, action: str, **fields: Any) -> Answer:
        """Fill in the form of a page whose address matches, and send it.

        Raises UnexpectedAnswerError when the page has no such form.
        """
        for form in self.forms(page):
            if re.search(action, urllib.parse.urlsplit(form["action"]).path):
                return self.post(form["action"], {**form["fields"], **fields})
        raise UnexpectedAnswerError(f"{page.url}: no form for {action!r}.")

    def sign_in(self, username: str, password: str) -> Answer:
        """Sign in. Raises UnexpectedAnswerError when the door stays shut."""
        page = self.get("/dang-nhap/")
        answer = self.submit(page, "dang-nhap", login=username, password=password)
        if answer.status != http.HTTPStatus.OK or "/dang-nhap" in answer.path:
            raise UnexpectedAnswerError(f"{username} could not sign in: {answer.url}")
        return answer

    def _url(self, path: str) -> str:
        return urllib.parse.urljoin(self.base, path)

    def _token(self) -> str:
        return next((c.value or "" for c in self.cookies if c.name == "csrftoken"), "")

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                body = answer.read()
                return Answer(answer.status, answer.url, body, dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                headers = dict(error.headers)
                return Answer(error.code, error.url, error.read(), headers)
