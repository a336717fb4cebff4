"""Who opens the page signs in, by a link or a password, stays signed in, and signs out."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.owner import renew_owner_key
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace

EMAIL = "ines@example.org"
PASSWORD = "lantern harbour seventeen moss"
NAME = "Inés Arregui"


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """The page as somebody finds it who never signed in; an error in it fails the test."""
    context = chromium.new_context()
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert errors == []


@pytest.fixture
def reader(library: Workspace) -> str:
    """An account with a password; its id."""
    return add_user(library, NewUser(EMAIL, PASSWORD, username="ines", full_name=NAME)).user_id


def _type_in(page: Page, name: str, password: str) -> None:
    page.locator("#door-name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def _asked(page: Page, path: str) -> list[Request]:
    """The requests to a path from now on."""
    found: list[Request] = []
    page.on("request", lambda one: found.append(one) if one.url.endswith(path) else None)
    return found


def _expect_inside(page: Page, name: str) -> None:
    expect(page.locator("#account-name")).to_have_text(name)
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(page.locator("#library-list button").first).to_be_visible()
    expect(page.locator("#door")).to_be_hidden()


def _expect_outside(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("#door-name")).to_be_focused()
    for hidden in ("#ask", "#account", "#library", "#result"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


def test_somebody_unknown_sees_the_door_and_nothing_else(page: Page) -> None:
    _expect_outside(page)


def test_the_link_signs_in_and_its_key_leaves_the_address(
    page: Page, address: str, library: Workspace
) -> None:
    secret = renew_owner_key(library)
    assert secret
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.goto(f"{address}/#key={secret}")
    _expect_inside(page, "The owner of this library")
    assert page.url == f"{address}/"
    assert not [url for url in seen if secret in url.partition("#")[0]]
    page.reload()
    _expect_inside(page, "The owner of this library")
    assert page.evaluate("JSON.stringify([localStorage.length, document.cookie])") == '[0,""]'


def test_a_link_of_an_earlier_start_opens_nothing(
    page: Page, address: str, library: Workspace
) -> None:
    earlier = renew_owner_key(library)
    renew_owner_key(library)
    page.goto(f"{address}/#key={earlier}")
    expect(page.get_by_role("alert")).to_contain_text("Sign in again")
    _expect_outside(page)
    assert page.url == f"{address}/"


@pytest.mark.parametrize("moves", ["to the link", "within the page"])
def test_a_link_never_takes_the_place_of_somebody_who_is_signed_in(
    page: Page, address: str, reader: str, library: Workspace, moves: str
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    held = page.evaluate("sessionStorage.getItem('alexandria.session')")
    secret = renew_owner_key(library)
    if moves == "to the link":
        page.goto("about:blank")
        page.goto(f"{address}/#key={secret}")
    else:
        page.evaluate("(key) => { location.hash = `key=${key}` }", secret)
    expect(page.locator("#account-notice")).to_contain_text("stay signed in")
    _expect_inside(page, NAME)
    assert page.url == f"{address}/"
    assert page.evaluate("sessionStorage.getItem('alexandria.session')") == held
    page.get_by_role("button", name="Sign out").click()
    _expect_outside(page)
    expect(page.locator("#account-notice")).to_be_empty()
    page.evaluate("(key) => { location.hash = `key=${key}` }", secret)
    _expect_inside(page, "The owner of this library")


def test_the_link_may_be_opened_again(page: Page, address: str, library: Workspace) -> None:
    secret = renew_owner_key(library)
    for _ in range(2):
        page.goto(f"{address}/#key={secret}")
        _expect_inside(page, "The owner of this library")
        expect(page.locator("#account-notice")).to_be_empty()
        page.goto("about:blank")


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("localhost", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("library.example", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("192.168.0.7", False),
        ("[::2]", False),
    ],
)
def test_a_link_signs_in_on_the_machine_of_the_library_only(
    page: Page, address: str, library: Workspace, host: str, is_own: bool
) -> None:
    secret = renew_owner_key(library)
    elsewhere = f"http://{host}"

    def pass_on(route: Route) -> None:
        url = route.request.url.replace(elsewhere, address, 1)
        route.fulfill(response=route.fetch(url=url))

    page.route(lambda url: url.startswith(f"{elsewhere}/"), pass_on)
    asked = _asked(page, "/auth/me")
    page.goto(f"{elsewhere}/#key={secret}")
    if is_own:
        _expect_inside(page, "The owner of this library")
    else:
        expect(page.get_by_role("alert")).to_contain_text("only on the machine")
        _expect_outside(page)
        page.evaluate("(key) => { location.hash = `key=${key}` }", secret)
        expect(page).to_have_url(f"{elsewhere}/")
        _expect_outside(page)
        assert asked == []
    page.unroute_all(behavior="wait")  # a request under way would end with the page, in an error


def test_a_link_that_was_cut_says_so(page: Page, address: str) -> None:
    page.goto("about:blank")
    page.goto(f"{address}/#key=<b>")
    expect(page.get_by_role("alert")).to_contain_text("not whole")
    _expect_outside(page)
    assert page.url == f"{address}/"


@pytest.mark.parametrize("name", [EMAIL, "ines"])
def test_a_password_signs_in(page: Page, reader: str, name: str) -> None:
    _type_in(page, name, PASSWORD)
    _expect_inside(page, NAME)
    assert page.get_by_label("Password").input_value() == ""


def test_a_wrong_password_says_so_and_the_right_one_still_works(page: Page, reader: str) -> None:
    _type_in(page, EMAIL, "not the password at all")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.get_by_label("Password")).to_be_focused()
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)


def test_an_account_is_made_and_signed_in(page: Page) -> None:
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("heading", name="Make an account")).to_be_visible()
    expect(page.get_by_label("Email")).to_be_focused()
    _type_in(page, "new@example.org", "password1234")
    expect(page.get_by_role("alert")).to_contain_text("too easy to guess")
    _type_in(page, "new@example.org", PASSWORD)
    _expect_inside(page, "new@example.org")


def test_signing_out_ends_the_session_and_takes_everything_away(
    page: Page, reader: str, library: Workspace
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    page.get_by_label("Your question").fill("What is on the shelf?")
    page.locator("#library-list button").first.click()
    expect(page.locator("#viewer-text section").first).to_be_visible()
    page.get_by_role("button", name="Close the document").click()
    token = page.evaluate("JSON.parse(sessionStorage.getItem('alexandria.session')).refresh")
    page.get_by_role("button", name="Sign out").click()
    _expect_outside(page)
    assert page.locator("#viewer-text").inner_text() == ""
    assert page.locator("#question").input_value() == ""
    body = {"refresh_token": token}
    assert page.request.post(f"{page.url}auth/refresh", data=body).status == 401


def test_an_access_token_that_has_run_out_is_renewed_once_and_unnoticed(
    page: Page, reader: str, library: Workspace
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    _make_old(page, library, reader)
    refreshed = _asked(page, "/auth/refresh")
    page.reload()
    _expect_inside(page, NAME)
    assert len(refreshed) == 1
    _make_old(page, library, reader)
    page.reload()
    page.evaluate(
        """async () => {
            const { send } = await import("/pages/session.js");
            await Promise.all([1, 2, 3, 4].map(() => send("/auth/sessions")));
        }"""
    )
    _expect_inside(page, NAME)
    assert len(refreshed) == 2


def _duplicate(page: Page) -> Page:
    """Another tab, which begins with what the first one holds."""
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    _expect_inside(opened.value, NAME)
    return opened.value


def _send_from(page: Page) -> int:
    """Ask for something that only a good token gets; the status of the answer."""
    return page.evaluate(
        """async () => {
            const { send } = await import("/pages/session.js");
            return (await send("/auth/sessions")).status;
        }"""
    )


def test_tabs_of_one_session_renew_its_tokens_together(
    page: Page, reader: str, library: Workspace
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    _make_old(page, library, reader)
    refreshed: list[Request] = []
    page.context.on(
        "request",
        lambda one: refreshed.append(one) if one.url.endswith("/auth/refresh") else None,
    )
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href), location.reload()")
    other = opened.value
    _expect_inside(page, NAME)
    _expect_inside(other, NAME)
    assert len(refreshed) == 1
    for tab in (page, other):
        tab.reload()
        _expect_inside(tab, NAME)


def test_a_tab_that_was_away_takes_over_the_tokens_of_its_twin(
    page: Page, address: str, reader: str, library: Workspace
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    other = _duplicate(page)
    _make_old(other, library, reader)
    other.goto("about:blank")
    for _ in range(2):
        _make_old(page, library, reader)
        page.reload()
        _expect_inside(page, NAME)
    other.goto(address)
    _expect_inside(other, NAME)
    other_refreshed, page_refreshed = _asked(other, "/auth/refresh"), _asked(page, "/auth/refresh")
    assert (_send_from(page), _send_from(other)) == (200, 200)
    assert (other_refreshed, page_refreshed) == ([], [])


def test_two_people_in_two_tabs_stay_apart(page: Page, reader: str, library: Workspace) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Make an account").click()
    _type_in(other, "new@example.org", PASSWORD)
    _expect_inside(other, "new@example.org")
    _make_old(page, library, reader)
    page.reload()
    _expect_inside(page, NAME)
    other.reload()
    _expect_inside(other, "new@example.org")


def test_a_session_that_was_ended_elsewhere_leads_back_to_the_door(
    page: Page, reader: str, library: Workspace
) -> None:
    _type_in(page, EMAIL, PASSWORD)
    _expect_inside(page, NAME)
    form: dict[str, str | float | bool] = {"username": EMAIL, "password": PASSWORD}
    login = page.request.post(f"{page.url}auth/login", form=form).json()
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    sessions = library.database.records("list_sessions", user_id=reader)
    first = sessions[-1]["session_id"]
    assert page.request.delete(f"{page.url}auth/sessions/{first}", headers=headers).ok
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Sign in again")
    _expect_outside(page)


def _make_old(page: Page, library: Workspace, user_id: str) -> None:
    """Give the page an access token of its own session that ran out a minute ago."""
    sessions = library.database.records("list_sessions", user_id=user_id)
    old = replace(
        library, settings=library.settings.model_copy(update={"access_token_seconds": -60})
    )
    token = SigningKeys(old).issue({"sub": user_id, "sid": sessions[0]["session_id"]})
    page.evaluate(
        """(access) => {
            const held = JSON.parse(sessionStorage.getItem("alexandria.session"));
            sessionStorage.setItem("alexandria.session", JSON.stringify({ ...held, access }));
        }""",
        token,
    )
