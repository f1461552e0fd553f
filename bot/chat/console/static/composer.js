// The line people type: sending surely, history with ↑ and ↓, completion with Tab, an answer to one card.

import { getJson, newKey, postSurely } from "./http.js";
import { say } from "./texts.js";
import { toast } from "./toast.js";

const form = document.getElementById("composer");
const line = document.getElementById("line");
const list = document.getElementById("completion");
const about = document.getElementById("about");
const { channel, account } = document.body.dataset;
const STORE = `fengbo.history.${account}`;
const history = JSON.parse(localStorage.getItem(STORE) || "[]");
let place = history.length;
let draft = "";
let anchor = "";
let chosen = -1;
let asked = 0;
let request = null;

export function start() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  line.addEventListener("keydown", keys);
  line.addEventListener("input", () => {
    fit();
    clearTimeout(asked);
    asked = setTimeout(() => suggest(false), 120);
  });
  line.addEventListener("blur", () => setTimeout(closeList, 150));
  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault();
    take(item);
  });
  about.querySelector("button").addEventListener("click", () => answerTo("", ""));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      line.focus();
    }
  });
  if (matchMedia("(min-width: 861px)").matches && !location.hash) line.focus();
}

/** The next lines are about this message's thread. */
export function answerTo(where, title) {
  anchor = where;
  about.hidden = !where;
  about.querySelector("span").textContent = where ? say("about", { title }) : "";
  line.focus();
}

async function send() {
  const text = line.value.trim();
  if (!text) return;
  closeList();
  remember(text);
  line.value = "";
  fit();
  const body = { channel, text, key: newKey(), anchor };
  try {
    await postSurely("/console/say", body, () => toast(say("retrying")));
    toast("");
  } catch (error) {
    toast(say(error.status === 403 ? "not_allowed" : "refused"));
    if (!line.value) line.value = text;
  }
}

function remember(text) {
  if (history.at(-1) !== text) history.push(text);
  history.splice(0, history.length - 100);
  place = history.length;
  draft = "";
  localStorage.setItem(STORE, JSON.stringify(history));
}

function keys(event) {
  if (event.isComposing || event.keyCode === 229) return; // an input method is choosing characters
  const open = !list.hidden;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (open && chosen >= 0) take(list.children[chosen]);
    else send();
  } else if (event.key === "Tab" && !event.shiftKey && line.value && (open || !event.altKey)) {
    event.preventDefault();
    if (open && list.children.length) take(list.children[Math.max(chosen, 0)]);
    else suggest(true);
  } else if (event.key === "Escape") {
    if (open) closeList();
    else if (anchor) answerTo("", "");
    else line.blur();
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const step = event.key === "ArrowUp" ? -1 : 1;
    if (open && chosen >= 0 || open && step > 0 && place === history.length) move(event, step);
    else if (!line.value.includes("\n")) recall(event, step);
  }
}

function move(event, step) {
  event.preventDefault();
  choose((chosen + step + list.children.length) % list.children.length);
}

function recall(event, step) {
  const next = place + step;
  if (next < 0 || next > history.length) return;
  event.preventDefault();
  if (place === history.length) draft = line.value;
  place = next;
  line.value = place === history.length ? draft : history[place];
  line.setSelectionRange(line.value.length, line.value.length);
  fit();
  closeList();
}

async function suggest(take_only) {
  const text = line.value;
  if (!text.trim() || text.includes("\n")) return closeList();
  request?.abort();
  request = new AbortController();
  let found;
  try {
    found = await getJson(`/console/complete?line=${encodeURIComponent(text)}`, request.signal);
  } catch {
    return; // a newer look, or no connection: the list is a help, not the way
  }
  if (line.value !== text || document.activeElement !== line) return;
  list.replaceChildren(...found.filter((item) => item.line !== text.trimEnd()).map(option));
  if (!list.children.length) return closeList();
  if (take_only && list.children.length === 1) return take(list.children[0]);
  list.hidden = false;
  line.setAttribute("aria-expanded", "true");
  choose(take_only ? 0 : -1);
}

function option(item, index) {
  const element = document.createElement("li");
  element.id = `option-${index}`;
  element.setAttribute("role", "option");
  element.setAttribute("aria-selected", "false");
  element.dataset.line = item.line;
  const words = document.createElement("b");
  words.textContent = item.line;
  const description = document.createElement("span");
  description.textContent = item.description;
  element.append(words, description);
  return element;
}

function choose(index) {
  chosen = index;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  if (index >= 0) {
    line.setAttribute("aria-activedescendant", `option-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  } else line.removeAttribute("aria-activedescendant");
}

function take(item) {
  line.value = item.dataset.line.replace(/\s*$/, " ");
  closeList();
  fit();
  line.focus();
}

function closeList() {
  list.hidden = true;
  chosen = -1;
  line.setAttribute("aria-expanded", "false");
  line.removeAttribute("aria-activedescendant");
}

function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  line.style.height = "auto";
  line.style.height = `${Math.min(line.scrollHeight, 180)}px`;
}
