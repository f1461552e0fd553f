// Buttons on cards: press, ask first, fill in a form first, answer to a card.

import { answerTo } from "./composer.js";
import { getJson, newKey, postSurely } from "./http.js";
import { say } from "./texts.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("dialog");

export function start() {
  document.getElementById("feed").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const message = button.closest(".message");
    if ("press" in button.dataset) press(button, message);
    else if ("reply" in button.dataset) answerTo(message.dataset.anchor, titleOf(message));
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-cancel]")) dialog.close();
  });
}

const titleOf = (message) => message.querySelector("h3, .text")?.textContent.trim().slice(0, 80) ?? "";

async function press(button, message) {
  if (button.getAttribute("aria-busy")) return; // a second click before the answer is the first one
  const about = { message: message.dataset.id, index: button.dataset.press, command: button.dataset.command };
  if (button.dataset.form) return openForm(about);
  if (button.dataset.confirm && !(await confirmed(button.dataset.confirm, button.textContent))) return;
  button.setAttribute("aria-busy", "true");
  await send({ ...about, key: newKey() });
  // The card is rewritten by what was caused; until then the button shows that it was heard.
  setTimeout(() => button.removeAttribute("aria-busy"), 1200);
}

async function send(body) {
  try {
    await postSurely("/console/press", body, () => toast(say("retrying")));
    toast("");
    return true;
  } catch (error) {
    toast(say({ 403: "not_allowed", 409: "card_changed", 404: "card_changed" }[error.status] ?? "refused"));
    return false;
  }
}

async function openForm(about) {
  let found;
  try {
    found = await getJson(`/console/form?${new URLSearchParams(about)}`);
  } catch (error) {
    return toast(say(error.status === 409 ? "card_changed" : "refused"));
  }
  dialog.innerHTML = found.html; // rendered and escaped by the server
  const form = dialog.querySelector("form");
  const key = newKey(); // one key for one form: a double submit is one act
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    form.querySelector("[type=submit]").disabled = true;
    if (await send({ ...about, fields, key })) dialog.close();
    else form.querySelector("[type=submit]").disabled = false;
  });
  dialog.showModal();
  form.querySelector("input, select, textarea")?.focus();
}

function confirmed(question, label) {
  const title = document.createElement("h2");
  title.id = "dialog-title";
  title.textContent = question;
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  const [no, yes] = [say("cancel"), label].map((words, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = at ? "button primary" : "button";
    button.textContent = words;
    return button;
  });
  buttons.append(no, yes);
  dialog.replaceChildren(title, buttons);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    let answer = false;
    yes.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(answer), { once: true });
  });
}
