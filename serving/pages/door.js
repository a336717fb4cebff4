// The door: signing in, making an account, signing out, and what is shown to whom.

import * as providers from "./providers.js";
import * as session from "./session.js";

const at = (id) => document.getElementById(id);
let entered = () => {}; // what to do once somebody is in
let left = () => {}; // and once they are out
let making = false; // whether the form makes an account

export function watchDoor({ onEnter, onLeave }) {
  entered = onEnter;
  left = onLeave;
  session.onSignedOut((message) => close(message));
  window.addEventListener("hashchange", enterByAddress);
  window.addEventListener("pageshow", ({ persisted }) => persisted && pause(false));
  if (enterByAddress()) return;
  if (session.isSignedIn()) open();
  else close();
}

// By a link with a key, or coming back from a provider.
function enterByAddress() {
  const link = session.takeKeyFromAddress();
  if (link) return enterByLink(link);
  const back = providers.takeReturn();
  if (!back || (session.isSignedIn() && !back.begun)) return false;
  close();
  attempt(async () => {
    await providers.signIn(back);
    await open();
  });
  return true;
}

// Somebody who is signed in goes on as they were, and is told.
function enterByLink({ isTaken, message }) {
  if (!session.isSignedIn()) close(message);
  else if (isTaken || at("account").hidden) open();
  at("account-notice").textContent = session.isSignedIn() ? message : "";
  return true;
}

async function open() {
  at("door").hidden = true;
  try {
    const me = await (await session.send("/auth/me")).json();
    at("account-name").textContent = me.full_name || me.email;
  } catch (error) {
    if (session.isSignedIn()) close(reasonOf(error), { isKept: true });
    return;
  }
  at("account").hidden = false;
  at("ask").hidden = false;
  entered();
}

// A session that could not be looked at, because the library does not answer, is kept.
function close(message = "", { isKept = false } = {}) {
  at("account").hidden = true;
  at("account-notice").textContent = "";
  at("ask").hidden = true;
  at("door").hidden = false;
  at("door-retry").hidden = !isKept;
  choose(false);
  tell(message);
  left();
  at("door-name").focus();
  showProviders();
}

// The page can be used without them, so a failure is not told; the next time asks again.
async function showProviders() {
  if (at("door-providers").childElementCount) return;
  const found = await providers.list().catch(() => []);
  at("door-providers").replaceChildren(...found.map(providerItem));
  at("door-providers").hidden = !found.length;
}

function providerItem(provider) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  button.type = "button";
  button.textContent = `Sign in with ${provider.label}`;
  button.disabled = at("door-submit").disabled;
  button.addEventListener("click", async () => {
    if (await attempt(() => providers.goTo(provider))) pause(true);
    else button.focus();
  });
  item.append(button);
  return item;
}

// While it signs somebody in, nothing else can be begun. Tells why where it fails.
async function attempt(signIn) {
  pause(true);
  tell("");
  try {
    await signIn();
    return true;
  } catch (error) {
    tell(reasonOf(error));
    return false;
  } finally {
    pause(false);
  }
}

function pause(isPaused) {
  for (const button of at("door").querySelectorAll("button")) button.disabled = isPaused;
  at("door-status").textContent = isPaused ? "Signing you in …" : "";
}

function choose(isMaking) {
  making = isMaking;
  at("door-title").textContent = making ? "Make an account" : "Sign in";
  at("door-name-label").textContent = making ? "Email" : "Email or username";
  at("door-name").type = making ? "email" : "text";
  at("door-name").autocomplete = making ? "email" : "username";
  at("door-password").autocomplete = making ? "new-password" : "current-password";
  at("door-help").hidden = !making;
  at("door-submit").textContent = making ? "Make the account" : "Sign in";
  at("door-other").textContent = making ? "I have an account" : "Make an account";
  tell("");
}

function tell(message) {
  at("door-error").textContent = message;
  at("door-error").hidden = !message;
  at("door-password").removeAttribute("aria-invalid");
}

function reasonOf(error) {
  return error instanceof TypeError ? "The library cannot be reached." : error.message;
}

at("door-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, password] = [at("door-name").value.trim(), at("door-password").value];
  const enter = making ? session.makeAccount : session.signIn;
  const isIn = await attempt(async () => {
    await enter(name, password);
    at("door-password").value = "";
    await open();
  });
  if (isIn) return;
  at("door-password").setAttribute("aria-invalid", "true");
  at("door-password").select();
});

at("door-other").addEventListener("click", () => {
  choose(!making);
  at("door-name").focus();
});

at("door-retry").addEventListener("click", open);

at("sign-out").addEventListener("click", async () => {
  at("ask").reset();
  try {
    await session.signOut();
    close();
  } catch (error) {
    close(`You are signed out here. The library did not take note: ${reasonOf(error)}`);
  }
});
