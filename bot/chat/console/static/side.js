// What stands beside the conversation: fetched anew when the stream says that it changed, at most every second.

import { getJson } from "./http.js";
import { tellTimes } from "./texts.js";

const LEAST = 1000;
const REGULAR = 30000;

/** `load` fetches and shows; returns a function that asks for it soon. */
export function refresher(load) {
  let timer = 0;
  let last = Date.now();
  let running = false;
  async function run() {
    timer = 0;
    running = true;
    try {
      await load();
    } catch {
      // The next change or the regular look tries again.
    }
    running = false;
    last = Date.now();
  }
  function soon() {
    if (!timer && !running) timer = setTimeout(run, Math.max(0, last + LEAST - Date.now()));
    else if (running) setTimeout(soon, LEAST);
  }
  setInterval(() => !document.hidden && soon(), REGULAR);
  setInterval(() => tellTimes(), 20000);
  return soon;
}

/** Replace an element's inside, unless it is the same; what had the focus keeps it. */
export function show(element, html) {
  if (element.dataset.shown === html) return;
  element.dataset.shown = html;
  const held = element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  element.innerHTML = html;
  tellTimes(element);
  if (held) element.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

export async function loadSide() {
  const found = await getJson("/console/side");
  show(document.getElementById("incidents"), found.incidents);
  show(document.getElementById("side"), found.side);
}

export async function loadBoard() {
  const found = await getJson(`/console/board?hours=${document.body.dataset.hours}`);
  show(document.getElementById("board"), found.html);
}
