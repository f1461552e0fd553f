// The live connection: one event stream, taken up again where it broke off.

import { say } from "./texts.js";

const state = document.getElementById("link");

/** `handlers` has message(data), state() and reload(). */
export function follow(revision, handlers) {
  let last = revision;
  let waiting = 0;

  function open() {
    const source = new EventSource(`/console/stream?after=${last}`);
    source.addEventListener("open", () => show("live"));
    source.addEventListener("message", (event) => {
      last = Math.max(last, Number(event.lastEventId) || 0);
      handlers.message(JSON.parse(event.data));
    });
    source.addEventListener("state", () => handlers.state());
    source.addEventListener("reload", () => handlers.reload());
    source.addEventListener("error", async () => {
      show("lost");
      if (source.readyState !== EventSource.CLOSED || waiting) return;
      // The browser has given up: the session may have ended, or the server answers something else for now.
      waiting = setTimeout(() => {
        waiting = 0;
        open();
      }, 3000);
      const answer = await fetch("/console/side").catch(() => null);
      if (answer?.status === 401) location.assign("/console/login");
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  open();
}

function show(name) {
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  state.querySelector(".words").textContent = say(name);
}
