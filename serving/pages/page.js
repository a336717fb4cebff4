// The page: asks, shows the answer as it comes, and opens what it stands on.
// Everything that came from outside is put in as text, never as markup.

import { watchDoor } from "./door.js";
import { problemError, send } from "./session.js";

const at = (id) => document.getElementById(id);
const wide = window.matchMedia("(min-width: 64rem)");
let texts = new Map(); // document and version to its text, as loaded
let running = null; // the question being answered: {abort, sources, tail, passages}
let pressed = null; // what opened the viewer, to give the focus back to

// Asking

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) running.abort.abort();
  else ask(at("question").value.trim());
});

at("question").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!running) at("ask").requestSubmit();
});

at("question").addEventListener("input", fitQuestion);

async function ask(question) {
  const run = { abort: new AbortController(), sources: new Map(), tail: "", passages: [] };
  running = run;
  beginAnswer(question);
  try {
    const ended = await readEvents(await post("/api/v2/query/stream", { question }, run), run);
    if (!ended) throw new Error("The connection ended before the answer did. Ask again.");
  } catch (error) {
    if (running === run) showFailure(error);
  } finally {
    finishAnswer(run);
  }
}

function post(address, body, run = null) {
  return send(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: run?.abort.signal,
  });
}

// Server-sent events, read from the body of a POST

async function readEvents(response, run) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const blocks = (buffer + value).split(/\r?\n\r?\n/);
    buffer = blocks.pop();
    for (const block of blocks) {
      if (handleEvent(parseEvent(block), run)) return true;
    }
  }
}

function parseEvent(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) fields.event = line.slice(6).trim();
    if (line.startsWith("data:")) fields.data.push(line.slice(5).replace(/^ /, ""));
  }
  return { name: fields.event, data: fields.data.length ? JSON.parse(fields.data.join("\n")) : null };
}

const HANDLERS = {
  passages(data, run) {
    run.passages = data.passages;
    const count = data.passages.length;
    at("status").textContent = count ? `Reading ${count} passages…` : "";
  },
  text(data, run) {
    appendText(data.text, run);
  },
  citation(data, run) {
    run.sources.set(data.number, data);
  },
  done(data, run) {
    completeAnswer(data, run);
    return true;
  },
  error(data) {
    throw problemError(data);
  },
};

function handleEvent({ name, data }, run) {
  return Object.hasOwn(HANDLERS, name) ? (HANDLERS[name](data, run) ?? false) : false;
}

// The answer

function beginAnswer(question) {
  closeViewer();
  for (const id of ["error", "library", "notes", "sources"]) at(id).hidden = true;
  at("asked").textContent = question;
  at("answer").replaceChildren();
  at("answer").setAttribute("aria-busy", "true");
  at("made").textContent = "";
  at("result").hidden = false;
  at("status").textContent = "Looking through the library…";
  at("submit").textContent = "Stop";
}

function finishAnswer(run) {
  if (running !== run) return;
  running = null;
  if (run.tail) at("answer").append(run.tail);
  at("answer").setAttribute("aria-busy", "false");
  at("status").textContent = "";
  at("submit").textContent = "Ask";
}

// Text arrives in pieces; a marker such as "[12]" may be cut in two, so its start waits.
function appendText(piece, run) {
  const text = run.tail + piece;
  const cut = text.search(/\[\d*$/);
  run.tail = cut < 0 ? "" : text.slice(cut);
  at("answer").append(...withCitations(cut < 0 ? text : text.slice(0, cut), run));
}

function withCitations(text, run) {
  return text.split(/(\[\d+\])/).map((part) => {
    const number = /^\[(\d+)\]$/.exec(part)?.[1];
    return number ? citeButton(Number(number), run) : part;
  });
}

function citeButton(number, run) {
  const button = element("button", { type: "button", className: "cite" }, String(number));
  button.setAttribute("aria-label", `Source ${number}`);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const source = run.sources.get(number);
    if (source) openSource(source, button);
  });
  return button;
}

function completeAnswer(whole, run) {
  for (const source of whole.sources) run.sources.set(source.number, source);
  const { metadata } = whole;
  showNotes([...whole.warnings, ...metadata.notes]);
  at("made").textContent = madeBy(metadata);
  if (metadata.is_answered) {
    showSources("Sources", whole.sources.map((source) => ({ ...source, mark: source.number })));
    return;
  }
  if (!at("answer").textContent) at("answer").append("The library holds nothing that answers this.");
  showSources("The closest passages", run.passages.slice(0, 5).map(passageAsSource));
}

function passageAsSource(passage) {
  return { ...passage, mark: "", quote: passage.text };
}

function madeBy({ model, elapsed_ms: elapsed, is_answered: isAnswered }) {
  const seconds = `${(elapsed / 1000).toFixed(elapsed < 1000 ? 2 : 1)} s`;
  if (!isAnswered) return seconds;
  const voice = model === "extractive" ? "Quoted word for word" : `Written by ${model}`;
  return `${voice} · ${seconds}`;
}

function showNotes(notes) {
  at("notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
  at("notes").hidden = notes.length === 0;
}

function showSources(title, sources) {
  at("sources-title").textContent = title;
  at("source-list").replaceChildren(...sources.map(sourceItem));
  at("sources").hidden = sources.length === 0;
}

function sourceItem(source) {
  const score = element("span", { className: "source-score" }, source.score.toFixed(2));
  score.title = "The higher, the better it fits";
  const button = element(
    "button",
    { type: "button", className: "source" },
    element("span", { className: "source-number" }, String(source.mark)),
    element("span", { className: "source-title" }, source.title),
    score,
    element("span", { className: "source-place" }, placeOf(source)),
    element("span", { className: "source-quote" }, source.quote),
    ...(source.warnings ?? []).map((text) => element("span", { className: "source-warning" }, text)),
  );
  button.addEventListener("click", () => openSource(source, button));
  return element("li", {}, button);
}

function placeOf(source) {
  return [...new Set([source.label, ...source.section_path])].filter(Boolean).join(" › ");
}

function showFailure(error) {
  if (error.name === "AbortError") {
    at("made").textContent = "Stopped.";
    return;
  }
  const box = at("error");
  const message = error instanceof TypeError ? "The library cannot be reached." : error.message;
  box.replaceChildren(message);
  if (error.requestId) box.append(element("small", {}, `Request ${error.requestId}`));
  box.hidden = false;
  if (!at("answer").textContent) at("result").hidden = true;
}

// Reading a source in its document

async function openSource(source, opener) {
  showViewer(opener);
  at("viewer-title").textContent = source.title;
  at("viewer-place").textContent = [source.path, placeOf(source)].filter(Boolean).join(" · ");
  at("viewer-text").replaceChildren();
  at("viewer-status").textContent = "Opening…";
  at("viewer-title").focus({ preventScroll: true });
  try {
    const text = await loadText(source);
    if (pressed === opener) showText(text, source);
  } catch (error) {
    at("viewer-status").textContent = error.message;
  }
}

async function loadText({ document_id: id, version_id: version }) {
  const [known, key] = [texts, `${id}/${version}`];
  if (!known.has(key)) {
    const address = `/api/v2/documents/${encodeURIComponent(id)}/text`;
    const response = await send(version ? `${address}?version_id=${encodeURIComponent(version)}` : address);
    known.set(key, await response.json());
  }
  return known.get(key);
}

function showText(document_, source) {
  const count = codeUnits(document_.text);
  const span = source.quote
    ? findQuote(document_.text, source.quote, count(source.start), count(source.end))
    : { start: 0, end: 0 };
  const whole = { label: "", start: 0, end: document_.text.length };
  const units = document_.units.length
    ? document_.units.map((unit) => ({ ...unit, start: count(unit.start), end: count(unit.end) }))
    : [whole];
  const box = at("viewer-text");
  box.lang = document_.language === "und" ? "" : document_.language;
  box.replaceChildren(...units.map((unit) => unitSection(unit, document_.text, span)));
  at("viewer-status").textContent = span ? "" : "The quote is not in this version of the text.";
  box.scrollTop = 0;
  const mark = box.querySelector("mark");
  mark?.scrollIntoView({ block: "center" });
  requestAnimationFrame(() => mark?.scrollIntoView({ block: "center" }));
}

// Offsets count code points; strings here count UTF-16 units. They differ after an emoji.
function codeUnits(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (offset) => offset;
  const wides = [];
  let points = 0;
  for (const point of text) {
    if (point.length === 2) wides.push(points);
    points += 1;
  }
  return (offset) => offset + countBelow(wides, offset);
}

function countBelow(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findQuote(text, quote, start, end) {
  if (text.slice(start, end) === quote) return { start, end };
  const found = text.indexOf(quote);
  return found < 0 ? null : { start: found, end: found + quote.length };
}

function unitSection(unit, text, span) {
  const body = element("p", {}, ...highlighted(unit, text, span));
  if (unit.problem_reason) {
    body.className = "notice";
    body.replaceChildren(`Not read: ${unit.problem_reason} ${unit.problem_advice ?? ""}`);
  }
  return element(
    "section",
    { className: "unit" },
    ...(unit.label ? [element("h3", {}, unit.label)] : []),
    body,
  );
}

function highlighted(unit, text, span) {
  const start = Math.max(unit.start, span?.start ?? 0);
  const end = Math.min(unit.end, span?.end ?? 0);
  if (start >= end) return [text.slice(unit.start, unit.end)];
  return [
    text.slice(unit.start, start),
    element("mark", {}, text.slice(start, end)),
    text.slice(end, unit.end),
  ];
}

function showViewer(opener) {
  pressed?.setAttribute("aria-pressed", "false");
  pressed = opener;
  opener.setAttribute("aria-pressed", "true");
  document.body.classList.add("is-reading");
  const viewer = at("viewer");
  if (viewer.open) return;
  if (wide.matches) viewer.show();
  else viewer.showModal();
}

function closeViewer() {
  if (at("viewer").open) at("viewer").close();
}

at("viewer").addEventListener("close", () => {
  document.body.classList.remove("is-reading");
  pressed?.setAttribute("aria-pressed", "false");
  pressed?.focus();
  pressed = null;
});
at("viewer-close").addEventListener("click", closeViewer);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeViewer();
});

// Where to begin: what the library holds

async function showLibrary() {
  const response = await post("/api/v2/documents/search", { limit: 100 }).catch(() => null);
  if (!response || running || !at("result").hidden || at("ask").hidden) return;
  const { documents, total } = await response.json();
  if (total === 0) {
    at("status").textContent = "The library is empty. Add documents, then ask.";
    return;
  }
  at("library-title").textContent =
    total === 1 ? "One document is in this library" : `${total} documents are in this library, such as`;
  at("library-list").replaceChildren(...spread(documents, 6).map(libraryItem));
  at("library").hidden = false;
}

function spread(items, count) {
  const step = Math.max(1, items.length / count);
  return items.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

function libraryItem({ document_id, title, path }) {
  const name = title || path;
  const button = element("button", { type: "button" }, name);
  const start = { document_id, title: name, path, label: "", section_path: [], quote: "" };
  button.addEventListener("click", () => openSource(start, button));
  return element("li", {}, button);
}

function fitQuestion() {
  const box = at("question");
  box.rows = 1;
  while (box.scrollHeight > box.clientHeight && box.rows < 6) box.rows += 1;
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// What somebody saw is not for whoever signs in next.
function forgetEverything() {
  running?.abort.abort();
  running = null;
  closeViewer();
  texts = new Map();
  for (const id of ["error", "library", "notes", "sources", "result"]) at(id).hidden = true;
  for (const id of ["library-list", "source-list", "answer", "viewer-text"]) at(id).replaceChildren();
  for (const id of ["asked", "made", "status", "viewer-title", "viewer-place"]) at(id).textContent = "";
  at("submit").textContent = "Ask";
}

watchDoor({
  onEnter() {
    at("question").focus();
    showLibrary();
  },
  onLeave: forgetEverything,
});
