// Signing in with a provider: going there, and what the browser comes back with.

import { begin, checked, postJson } from "./session.js";

const STORE = "alexandria.sign_in"; // {provider, label, state} while somebody is at a provider
const REASONS = {
  access_denied: (label) => `${label} did not let you in, or you chose not to go on.`,
  server_error: (label) => `${label} has a problem of its own. Try again later.`,
  temporarily_unavailable: (label) => `${label} is too busy just now. Try again later.`,
};

export async function list() {
  const response = await checked(await fetch("/api/v2/auth/providers"));
  return (await response.json()).providers;
}

// Leaves the page.
export async function goTo({ name, label }) {
  const address = `/api/v2/auth/authorize?${new URLSearchParams({ provider: name })}`;
  const response = await checked(await fetch(address, { cache: "no-store" }));
  const { authorization_url, state } = await response.json();
  const there = new URL(authorization_url);
  if (!/^https?:$/.test(there.protocol)) throw new Error(`${label} has no address to go to.`);
  sessionStorage.setItem(STORE, JSON.stringify({ provider: name, label, state }));
  location.assign(there);
}

// What came back behind "#", which must not stay in the address; null if nothing did.
// Anybody can make a link that looks like a return, and would sign its maker in here: `begun` is
// null unless this tab waits for it.
export function takeReturn() {
  const told = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!("code" in told || "error" in told)) return null;
  history.replaceState(null, "", location.pathname + location.search);
  const begun = readStore();
  sessionStorage.removeItem(STORE);
  return { ...told, begun: begun?.state === told.state ? begun : null };
}

export async function signIn({ begun, code, state, iss, error }) {
  if (!begun) throw new Error("That sign-in did not begin in this tab. Begin again here.");
  if (error) throw new Error(reasonOf(error, begun.label));
  const body = { provider: begun.provider, code, state, ...(iss && { iss }) };
  begin(await (await checked(await postJson("/api/v2/auth/login", body))).json());
}

function reasonOf(error, label) {
  if (Object.hasOwn(REASONS, error)) return REASONS[error](label);
  const word = /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : "";
  return `${label} could not sign you in${word}. Ask whoever looks after this library.`;
}

function readStore() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null;
  }
}
