// The conversation: messages by id, put in order, replaced in place, paged back.

import { getJson } from "./http.js";
import { dayOf, sameDay, say, tellTimes } from "./texts.js";

const feed = document.getElementById("feed");
const older = document.getElementById("older");
const empty = document.getElementById("empty");
const pill = document.getElementById("pill");
const announcer = document.getElementById("announcer");
const JOIN = 5 * 60 * 1000; // messages of one author within five minutes stand together
const channel = document.body.dataset.channel;
let pillTarget = null;

export const messages = () => [...feed.querySelectorAll(".message")];
export const nearEnd = () => feed.scrollHeight - feed.scrollTop - feed.clientHeight < 120;
export const toEnd = () => feed.scrollTo({ top: feed.scrollHeight });

export function start() {
  arrange();
  tellTimes(feed);
  if (location.hash) point(location.hash.slice(1));
  else toEnd();
  older.querySelector("button").addEventListener("click", page);
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && page(), { root: feed }).observe(older);
  pill.addEventListener("click", () => {
    if (pillTarget) point(pillTarget);
    else toEnd();
    hidePill();
  });
  feed.addEventListener("scroll", () => !pillTarget && nearEnd() && hidePill(), { passive: true });
  addEventListener("hashchange", () => point(location.hash.slice(1)));
  // A link to the message that is already in the address does not change it, and should still lead there.
  document.addEventListener("click", (event) => {
    const hash = event.target.closest?.("a[href*='#m']")?.hash;
    if (hash && hash === location.hash) point(hash.slice(1));
  });
}

/** Show a message that was posted or rewritten; returns whether it is new. */
export function put(data) {
  const known = document.getElementById(`m${data.id}`);
  const stay = nearEnd();
  // A card in a busy hour is rewritten every few seconds; only another grade asks for attention.
  const notable = !known || gradeOf(known) !== gradeOf(parse(data.html));
  const element = parse(data.html);
  if (known) replace(known, element);
  else insert(element);
  tellTimes(element);
  arrange();
  if (known) {
    if (stay) toEnd();
    if (notable && !visible(element)) showPill(say("changed", { title: data.title }), element.id);
  } else if (stay || data.mine) toEnd();
  else showPill(say("below"), "");
  if (known && notable) element.classList.add("rewritten");
  if (!data.mine && notable) announcer.textContent = say(known ? "changed" : "arrived", { title: data.title });
  return !known;
}

/** Scroll to a message, mark it for a moment, give it the focus. */
export function point(id) {
  const element = document.getElementById(id);
  if (!element) return;
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
  element.classList.add("pointed");
  setTimeout(() => element.classList.remove("pointed"), 1500);
}

const gradeOf = (message) => message.querySelector(".card")?.className;

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // escaped by the server; the content security policy lets nothing in it run
  return template.content.querySelector(".message");
}

function replace(known, element) {
  // Who was on a button stays on it: a rewritten card must not take the keyboard away.
  const held = known.contains(document.activeElement) ? document.activeElement.dataset.command : undefined;
  known.replaceWith(element);
  if (held !== undefined) (element.querySelector(`[data-command="${CSS.escape(held)}"]`) ?? element).focus({ preventScroll: true });
}

function insert(element) {
  const id = Number(element.dataset.id);
  const after = messages().findLast((other) => Number(other.dataset.id) < id);
  if (after) after.after(element);
  else empty.before(element);
  element.classList.add("arrived");
}

function arrange() {
  for (const line of feed.querySelectorAll(".day")) line.remove();
  let previous = null;
  for (const message of messages()) {
    const at = Number(message.dataset.at);
    const newDay = !previous || !sameDay(Number(previous.dataset.at), at);
    if (newDay) message.before(dayLine(at));
    const plain = (one) => !one.matches(".has-card, .private, .in-thread");
    message.classList.toggle("joined", !newDay && plain(message) && plain(previous)
      && previous.dataset.author === message.dataset.author && at - Number(previous.dataset.at) < JOIN);
    previous = message;
  }
  empty.hidden = previous !== null;
}

function dayLine(at) {
  const line = document.createElement("div");
  line.className = "day";
  line.textContent = dayOf(at);
  return line;
}

let paging = false;
async function page() {
  const first = messages()[0];
  if (paging || older.hidden || !first) return;
  paging = true;
  try {
    const found = await getJson(`/console/messages?channel=${encodeURIComponent(channel)}&before=${first.dataset.id}`);
    const height = feed.scrollHeight;
    const template = document.createElement("template");
    template.innerHTML = found.html;
    tellTimes(template.content);
    older.after(template.content);
    older.hidden = !found.more;
    arrange();
    feed.scrollTop += feed.scrollHeight - height;
  } catch {
    // The button stays; a later click or scroll tries again.
  } finally {
    paging = false;
  }
}

function visible(element) {
  const box = element.getBoundingClientRect();
  const frame = feed.getBoundingClientRect();
  return box.bottom > frame.top + 20 && box.top < frame.bottom - 20;
}

function showPill(words, target) {
  pill.textContent = words;
  pillTarget = target;
  pill.hidden = false;
}

function hidePill() {
  pill.hidden = true;
  pillTarget = null;
}
