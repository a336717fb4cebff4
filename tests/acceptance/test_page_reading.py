"""A reader asks on the page, sees the answer come, and opens what it stands on."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from alexandria.workflows.identity.owner import renew_owner_key
from alexandria.workflows.workspace import Workspace

HANDLE = "Where should a keeper look for the handle that turns the lens by hand?"
SCREENSHOTS = os.environ.get("SCREENSHOT_FOLDER")
"""Set it to a folder to keep pictures of the page."""


@pytest.fixture(params=[(1280, 860), (360, 740)], ids=["desk", "phone"])
def page(
    chromium: Browser, address: str, library: Workspace, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The page, opened by its owner; whatever it logs as an error fails the test."""
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if _is_ours(message) else None)
    opened.goto(_link(address, library))
    yield opened
    if SCREENSHOTS:
        opened.screenshot(path=Path(SCREENSHOTS) / f"{_file_name(request.node.name)}.png")
    context.close()
    assert errors == []


def _link(address: str, workspace: Workspace) -> str:
    """The page for the owner of the library, as `alexandria up` prints it."""
    return f"{address}/#key={renew_owner_key(workspace)}"


def _is_ours(message: ConsoleMessage) -> bool:
    """An error of the page itself; the browser also logs each response that is not 2xx."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def _overflow(page: Page) -> int:
    """Pixels that the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def _file_name(test: str) -> str:
    return re.sub(r"\W+", "-", test).strip("-")


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false", timeout=60_000)


def test_a_citation_opens_its_document_at_the_quote(page: Page) -> None:
    with page.expect_response("**/api/v2/query/stream") as streamed:
        _ask(page, HANDLE)
    assert streamed.value.headers["content-type"].startswith("text/event-stream")
    expect(page.get_by_role("heading", name=HANDLE)).to_be_visible()
    quotes = page.locator(".source-quote").all_text_contents()
    page.get_by_role("button", name="Source 1", exact=True).first.click()
    mark = page.locator("#viewer mark")
    expect(mark).to_be_in_viewport()
    assert "".join(mark.all_text_contents()) == quotes[0]
    expect(page.locator("#viewer-title")).to_have_text(
        page.locator(".source-title").first.inner_text()
    )
    assert page.locator(".source-place").first.inner_text() in (
        page.locator("#viewer-place").inner_text()
    )


def test_every_source_opens_at_its_own_quote(page: Page) -> None:
    _ask(page, "How did the members vote on restoring the lens in March 2024?")
    sources = page.locator("button.source")
    assert sources.count() > 0
    for number in range(sources.count()):
        quote = sources.nth(number).locator(".source-quote").text_content()
        sources.nth(number).click()
        expect(page.locator("#viewer mark").first).to_be_in_viewport()
        assert "".join(page.locator("#viewer mark").all_text_contents()) == quote
        page.get_by_role("button", name="Close the document").click()


def test_a_source_with_missing_parts_says_so_below_its_quote(
    page: Page, library: Workspace
) -> None:
    title = "A manual <img src=x onerror=alert(1)>"
    with psycopg.connect(library.database.address) as connection:
        connection.execute("UPDATE knowledge.parses SET title = %s", (title,))
        connection.execute("UPDATE knowledge.units SET problem_code = 'x' WHERE ordinal = 0")
    _ask(page, HANDLE)
    warning = page.locator(".source-warning").first
    expect(warning).to_contain_text(f"of “{title}” could not be read.")
    expect(page.locator("#notes")).to_contain_text("could not be read")
    assert page.locator("#result img").count() == 0


def test_the_keyboard_is_enough(page: Page) -> None:
    expect(page.get_by_label("Your question")).to_be_focused()
    _ask(page, HANDLE)
    citation = page.get_by_role("button", name="Source 1", exact=True).first
    citation.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer mark").first).to_be_in_viewport()
    expect(page.locator("#viewer-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(citation).to_be_focused()


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    expect(page.locator("#library")).to_be_visible()
    assert _overflow(page) <= 0
    _ask(page, HANDLE)
    assert _overflow(page) <= 0
    page.locator(".cite").first.click()
    expect(page.locator("#viewer mark").first).to_be_visible()
    assert _overflow(page) <= 0


def test_a_document_of_the_library_opens_at_its_beginning(page: Page) -> None:
    document = page.locator("#library-list button").first
    title = document.inner_text()
    document.click()
    expect(page.locator("#viewer-title")).to_have_text(title)
    expect(page.locator("#viewer-text section").first).to_be_visible()
    expect(page.locator("#viewer-status")).to_be_empty()
    assert page.locator("#viewer mark").count() == 0


def test_markup_in_a_question_stays_text(page: Page) -> None:
    question = "<img src=x onerror=alert(1)> & <b>bold</b>?"
    _ask(page, question)
    expect(page.locator("#asked")).to_have_text(question)
    assert page.locator("#result img, #result b").count() == 0


def test_an_error_shows_what_to_do_and_its_request(page: Page) -> None:
    page.evaluate("document.getElementById('question').removeAttribute('minlength')")
    page.get_by_label("Your question").fill("a")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at least 3 characters")
    expect(alert).to_contain_text("Request ")
    expect(page.locator("#result")).to_be_hidden()
    page.get_by_label("Your question").fill(HANDLE)  # and the page still works
    page.keyboard.press("Enter")
    expect(page.locator(".cite").first).to_be_visible(timeout=60_000)


def test_an_empty_library_says_so_and_answers_nothing(
    chromium: Browser, empty_address: str, workspace: Workspace
) -> None:
    page = chromium.new_page()
    page.goto(_link(empty_address, workspace))
    expect(page.get_by_text("The library is empty")).to_be_visible()
    _ask(page, HANDLE)
    expect(page.locator("#answer")).not_to_be_empty()
    expect(page.locator(".cite")).to_have_count(0)
    expect(page.locator("#sources")).to_be_hidden()
    page.close()


def test_the_page_loads_nothing_from_elsewhere(
    chromium: Browser, address: str, library: Workspace
) -> None:
    page = chromium.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    response = page.goto(_link(address, library))
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page.wait_for_load_state("networkidle")
    assert all(url.startswith((address, "data:")) for url in requested)
    page.close()


HOSTILE = "<img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture
def hostile_library(library: Workspace) -> Workspace:
    """The sample library, in which every word that a file brings is markup."""
    with psycopg.connect(library.database.address) as connection:
        for change in (
            "parses SET title = %(hostile)s",
            "documents SET path = %(hostile)s || path",
            "units SET problem_code = 'x', problem_reason = %(hostile)s WHERE ordinal = 0",
            "units SET label = %(hostile)s",
            "version_chunks SET section_path = jsonb_build_array(%(hostile)s::text)",
        ):
            connection.execute(f"UPDATE knowledge.{change}", {"hostile": HOSTILE})  # type: ignore[call-overload]
        connection.execute("UPDATE identity.users SET full_name = %s", (HOSTILE,))
    return library


def test_markup_from_files_and_accounts_stays_text(page: Page, hostile_library: Workspace) -> None:
    page.reload()
    expect(page.locator("#account-name")).to_have_text(HOSTILE)
    expect(page.locator("#library-list button").first).to_have_text(HOSTILE)
    _ask(page, HANDLE)
    expect(page.locator(".source-title").first).to_have_text(HOSTILE)
    expect(page.locator(".source-place").first).to_contain_text(HOSTILE)
    expect(page.locator(".source-warning").first).to_contain_text(HOSTILE)
    expect(page.locator("#notes")).to_contain_text(HOSTILE)
    page.locator("button.source").first.click()
    expect(page.locator("#viewer-title")).to_have_text(HOSTILE)
    expect(page.locator("#viewer-place")).to_contain_text(HOSTILE)
    expect(page.locator("#viewer-text h3").first).to_have_text(HOSTILE)
    expect(page.locator("#viewer-text .notice").first).to_contain_text(f"Not read: {HOSTILE}")
    assert page.locator("body img, body b").count() == 0


def test_markup_in_a_document_and_in_an_answer_stays_text(page: Page) -> None:
    """What a library that was broken into could send; its words are made up here."""
    passage = {
        "title": HOSTILE, "label": HOSTILE, "section_path": [HOSTILE], "path": HOSTILE,
        "quote": HOSTILE, "score": 1, "number": 1, "warnings": [HOSTILE], "text": HOSTILE,
        "document_id": "../x", "version_id": "a&b=<c>", "start": 0, "end": len(HOSTILE),
    }  # fmt: skip
    metadata = {"model": HOSTILE, "elapsed_ms": 1, "is_answered": True, "notes": [HOSTILE]}
    events = {
        "constructor": {},
        "passages": {"passages": [passage]},
        "text": {"text": f"{HOSTILE} [1]"},
        "done": {"sources": [passage], "warnings": [HOSTILE], "metadata": metadata},
    }
    stream = "".join(
        f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events.items()
    )
    text = {"text": HOSTILE, "units": [], "language": HOSTILE}
    asked: list[str] = []

    def answer_with_text(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json=text)

    page.route("**/api/v2/query/stream", lambda route: route.fulfill(body=stream))
    page.route("**/text*", answer_with_text)
    _ask(page, HANDLE)
    expect(page.locator("#answer")).to_have_text(f"{HOSTILE} 1")
    expect(page.locator("#made")).to_contain_text(f"Written by {HOSTILE}")
    page.locator(".cite").click()
    expect(page.locator("#viewer mark")).to_have_text(HOSTILE)
    assert urlsplit(asked[0]).path == "/api/v2/documents/..%2Fx/text"
    assert urlsplit(asked[0]).query == "version_id=a%26b%3D%3Cc%3E"
    assert page.locator("body img, body b").count() == 0


def test_markup_in_an_error_stays_text(page: Page) -> None:
    problem = {"detail": HOSTILE, "request_id": HOSTILE, "code": "x"}
    page.route("**/api/v2/query/stream", lambda route: route.fulfill(status=500, json=problem))
    page.get_by_label("Your question").fill(HANDLE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(f"{HOSTILE}Request {HOSTILE}")
    assert page.locator("body img, body b").count() == 0
