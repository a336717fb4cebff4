"""Who has an account at a provider signs in there, and comes back to the page."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from openid_provider import PASSWORD, Provider
from playwright.sync_api import Browser, Page, Request, expect

from alexandria.workflows.workspace import Workspace

ADA = "Ada Lovelace"


@pytest.fixture
def page(chromium: Browser, federated_address: str) -> Iterator[Page]:
    """The page as somebody finds it who never signed in; an error in it fails the test."""
    context = chromium.new_context()
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(federated_address)
    yield opened
    context.close()
    assert errors == []


def _go(page: Page, label: str = "Okta") -> None:
    page.get_by_role("button", name=f"Sign in with {label}").click()


def _sign_in_there(page: Page, person: str = "ada", button: str = "Authorize") -> None:
    """What a person does at the provider."""
    page.get_by_label("Username:").fill(person)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name=button).click()


def _expect_inside(page: Page, address: str) -> None:
    expect(page.locator("#account-name")).to_have_text(ADA)
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(page.locator("#door")).to_be_hidden()
    assert page.url == f"{address}/"


def _expect_outside(page: Page, address: str, reason: str) -> None:
    expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(page.locator("#door")).to_be_visible()
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign in with Okta")).to_be_enabled()
    assert page.url == f"{address}/"
    assert page.evaluate("sessionStorage.length") == 0


def _sent(page: Page) -> list[Request]:
    """What is sent to sign in, from now on."""
    found: list[Request] = []
    path = "/api/v2/auth/login"
    page.on("request", lambda one: found.append(one) if urlsplit(one.url).path == path else None)
    return found


def test_each_provider_has_a_button_that_keys_reach(page: Page) -> None:
    expect(page.locator("#door-providers button")).to_have_text(
        ["Sign in with Microsoft", "Sign in with Okta"]
    )
    page.locator("#door-other").focus()
    for name in ("Sign in with Microsoft", "Sign in with Okta"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()


def test_without_providers_there_is_no_button(chromium: Browser, address: str) -> None:
    with chromium.new_context() as context, context.new_page() as page:
        with page.expect_response("**/api/v2/auth/providers"):
            page.goto(address)
        expect(page.locator("#door")).to_be_visible()
        expect(page.locator("#door-providers")).to_be_hidden()


@pytest.mark.parametrize("label", ["Okta", "Microsoft"])
def test_somebody_signs_in_there_and_is_in_here(
    page: Page, federated_address: str, label: str
) -> None:
    _go(page, label)
    _sign_in_there(page)
    _expect_inside(page, federated_address)
    assert page.evaluate("Object.keys(sessionStorage)") == ["alexandria.session"]
    page.reload()
    _expect_inside(page, federated_address)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#door")).to_be_visible()


def test_the_code_leaves_the_history_too(page: Page, federated_address: str) -> None:
    _go(page)
    _sign_in_there(page)
    _expect_inside(page, federated_address)
    sent = _sent(page)
    page.go_back()
    page.go_forward()
    _expect_inside(page, federated_address)
    assert sent == []


def test_whoever_says_no_there_is_told_so(page: Page, federated_address: str) -> None:
    sent = _sent(page)
    _go(page)
    _sign_in_there(page, button="Cancel")
    _expect_outside(page, federated_address, "Okta did not let you in")
    assert sent == []
    _go(page)
    page.get_by_role("button", name="Authorize").click()
    _expect_inside(page, federated_address)


def test_whoever_is_not_vouched_for_is_told_why(page: Page, federated_address: str) -> None:
    _go(page)
    _sign_in_there(page, "mallory")
    _expect_outside(page, federated_address, "does not vouch for your email address")


@pytest.mark.parametrize("told", ["code=stolen&state=theirs", "code=stolen", "error=access_denied"])
def test_a_return_that_this_tab_did_not_begin_sends_nothing(
    page: Page, federated_address: str, told: str
) -> None:
    sent = _sent(page)
    page.goto(f"{federated_address}/#{told}")
    _expect_outside(page, federated_address, "did not begin in this tab")
    assert sent == []


def test_a_state_of_another_sign_in_sends_nothing(page: Page, federated_address: str) -> None:
    sent = _sent(page)
    _go(page)
    expect(page.get_by_label("Username:")).to_be_visible()
    page.goto(f"{federated_address}/api/v2/auth/callback?code=stolen&state=theirs")
    _expect_outside(page, federated_address, "did not begin in this tab")
    assert sent == []


def test_whoever_is_in_stays_in_when_a_link_brings_a_code(
    page: Page, federated_address: str
) -> None:
    _go(page)
    _sign_in_there(page)
    _expect_inside(page, federated_address)
    sent = _sent(page)
    page.goto(f"{federated_address}/#code=stolen&state=theirs")
    page.wait_for_url(f"{federated_address}/")
    page.reload()
    _expect_inside(page, federated_address)
    assert sent == []


def test_whoever_turns_back_can_begin_again(page: Page, federated_address: str) -> None:
    _go(page)
    expect(page.get_by_label("Username:")).to_be_visible()
    page.go_back()
    _go(page)
    _sign_in_there(page)
    _expect_inside(page, federated_address)


def test_a_provider_that_does_not_answer_is_told(
    page: Page, openid_provider: Provider, library: Workspace, federated_address: str
) -> None:
    openid_provider.stop()
    try:
        _go(page)
        expect(page.get_by_role("alert")).not_to_be_empty()
        expect(page.get_by_role("button", name="Sign in with Okta")).to_be_focused()
    finally:
        openid_provider.start()


def test_a_provider_whose_address_is_no_web_address_is_not_gone_to(
    page: Page, federated_address: str
) -> None:
    """What a library that was broken into could send; its words are made up here."""
    begun = {"authorization_url": "javascript:document.title='run'", "state": "x"}
    page.route("**/api/v2/auth/authorize?*", lambda route: route.fulfill(json=begun))
    _go(page)
    _expect_outside(page, federated_address, "no address to go to")
    assert page.title() == "Alexandria"
