"""The demo's person reads forms as a browser would send them."""

from nguon.demo.client import Answer, Client

PAGE = """
<form action="/a/"><input name="x" value="1"></form>
<form action="luu/" method="post">
<input type="hidden" name="csrfmiddlewaretoken" value="t">
<textarea name="body">Chào bà con</textarea>
<input type="checkbox" name="languages" value="vi" checked>
<input type="checkbox" name="languages" value="jra" checked>
<input type="radio" name="klass" value="normal"><input type="radio" name="klass"
value="priority" checked><select name="field"><option value="1">Một</option>
<option value="5" selected>Năm</option></select>
<button name="next" value="go">Gửi</button>
</form>
"""


def test_forms_hold_what_a_browser_would_send() -> None:
    client = Client("http://127.0.0.1:1")
    page = Answer(200, "http://127.0.0.1:1/ban-tin/x/", PAGE.encode(), {})

    first, second = client.forms(page)

    assert first["fields"] == {"x": "1"}
    assert second["action"] == "http://127.0.0.1:1/ban-tin/x/luu/"
    assert second["fields"] == {
        "csrfmiddlewaretoken": "t",
        "body": "Chào bà con",
        "languages": ["vi", "jra"],
        "klass": "priority",
        "field": "5",
    }
    assert second["buttons"] == [("next", "go")]
