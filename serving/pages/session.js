// Who is signed in. Tokens live in this tab, go with every request, and are renewed when one has
// run out: once, however many requests find that out together.
//
// A duplicated tab begins with the tokens of the first, and a refresh token is good once: used
// twice, it ends the session. So tabs of one session take turns and tell each other the new
// tokens. `session` names the session among them, `turn` says whose tokens are newer. Where a
// browser has no locks (plain http on another machine) two tabs may still renew in the same moment.

const STORE = "alexandria.session";
const listeners = [];
const TURNS = "alexandria.renewal"; // the lock
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/; // as browsers write these hosts
const ANSWER_MS = 250; // how long another tab may take to tell its tokens
const otherTabs = new BroadcastChannel("alexandria.session");
let held = readStore(); // {access, refresh, session, turn} of a person, or {access} of a key
let renewing = null;
let adopted = () => {}; // what waits for tokens of another tab

export const isSignedIn = () => held !== null;

// Calls `listener` with a message whenever somebody is signed out without having asked for it.
export function onSignedOut(listener) {
  listeners.push(listener);
}

// The link that `alexandria up` prints brings a key behind "#". It must not stay in the address,
// where a copied link or the history would give it away. Anybody can make such a link, with a key
// of their own, and so have somebody else work in their account: a key is taken only on the
// machine that the library runs on, and never from somebody who is signed in.
// Gives null without a key, else {isTaken, message}.
export function takeKeyFromAddress() {
  if (!location.hash.startsWith("#key=")) return null;
  const key = /^#key=(alx_[\w-]+)$/.exec(location.hash)?.[1];
  history.replaceState(null, "", location.pathname + location.search);
  if (key && held?.access === key) return refuse("");
  if (held) {
    return refuse("That link was not used: you stay signed in. Sign out first to open it.");
  }
  if (!LOOPBACK.test(location.hostname)) {
    return refuse("A link with a key works only on the machine of the library. Sign in here.");
  }
  if (!key) return refuse("That link is not whole. Open it as it was printed.");
  hold({ access: key });
  return { isTaken: true, message: "" };
}

function refuse(message) {
  return { isTaken: false, message };
}

// fetch() for somebody who is signed in. Throws a problem of the library as an error.
export async function send(address, options = {}) {
  const used = held;
  let response = await fetch(address, withToken(options, used));
  if (response.status === 401 && used) {
    if (await renew(used)) response = await fetch(address, withToken(options, held));
    if (response.status === 401 && held) signedOut("You are signed out. Sign in again to go on.");
  }
  return checked(response);
}

export async function signIn(name, password) {
  const body = new URLSearchParams({ grant_type: "password", username: name, password });
  const response = await checked(await fetch("/auth/login", { method: "POST", body }));
  begin(await response.json());
}

export async function makeAccount(email, password) {
  await checked(await postJson("/auth/register", { email, password }));
  await signIn(email, password);
}

// A key is only put away: it belongs to a link that may be opened again.
export async function signOut() {
  try {
    if (held?.refresh) await send("/auth/logout", { method: "POST" });
  } finally {
    hold(null);
  }
}

export async function checked(response) {
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw problem ? problemError(problem) : new Error(`The library answered ${response.status}.`);
}

export function problemError(problem) {
  const error = new Error(problem.detail);
  error.code = problem.code;
  error.requestId = problem.request_id;
  return error;
}

function withToken(options, session) {
  const headers = new Headers(options.headers);
  if (session) headers.set("Authorization", `Bearer ${session.access}`);
  return { ...options, headers };
}

// Whether there is another access token than the one that was used.
async function renew(used) {
  if (held !== used) return held !== null;
  if (!used.refresh) return false;
  renewing ??= exchange(used).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchange(used) {
  const inTurn = () => exchangeInTurn(used);
  return navigator.locks ? navigator.locks.request(TURNS, inTurn) : inTurn();
}

async function exchangeInTurn(used) {
  if (held === used) await askOtherTabs(used);
  if (held !== used) return held !== null;
  const response = await postJson("/auth/refresh", { refresh_token: used.refresh });
  if (response.status === 401) return false;
  const tokens = await (await checked(response)).json();
  if (held !== used) return held !== null; // signed out meanwhile
  hold({ ...used, ...pair(tokens), turn: used.turn + 1 });
  tellOtherTabs();
  return true;
}

// Another tab may have renewed while this one was loading and could not hear it.
function askOtherTabs({ session, turn }) {
  otherTabs.postMessage({ session, turn });
  return new Promise((resolve) => {
    const answered = setTimeout(resolve, ANSWER_MS);
    adopted = () => {
      clearTimeout(answered);
      resolve();
    };
  });
}

function tellOtherTabs() {
  otherTabs.postMessage(held);
}

otherTabs.addEventListener("message", ({ data }) => {
  if (!held?.session || data.session !== held.session) return;
  if (data.turn < held.turn) tellOtherTabs();
  if (data.turn <= held.turn || !data.access) return;
  hold(data);
  adopted();
});

export function postJson(address, body) {
  const headers = { "Content-Type": "application/json" };
  return fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
}

function signedOut(message) {
  hold(null);
  for (const listener of listeners) listener(message);
}

// Somebody has just signed in.
export function begin(tokens) {
  const session = Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
  hold({ ...pair(tokens), session, turn: 0 });
}

function pair({ access_token, refresh_token }) {
  return { access: access_token, refresh: refresh_token };
}

function hold(session) {
  held = session;
  if (session) sessionStorage.setItem(STORE, JSON.stringify(session));
  else sessionStorage.removeItem(STORE);
}

function readStore() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null;
  }
}
