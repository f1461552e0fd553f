// The list on the left: what is unread where, and the drawer it becomes on a phone.

const { channel: current, account } = document.body.dataset;
const STORE = `fengbo.read.${account}`;
const read = JSON.parse(localStorage.getItem(STORE) || "{}");
const unread = {};
const title = document.title;
const left = document.getElementById("left");

export function start(newest) {
  for (const link of links()) {
    const name = link.dataset.channel;
    if (read[name] === undefined) read[name] = Number(link.dataset.newest);
    if (name !== current && Number(link.dataset.newest) > read[name]) unread[name] = "•";
  }
  seen(newest);
  document.addEventListener("visibilitychange", () => !document.hidden && seen());
  for (const element of document.querySelectorAll("[data-drawer]")) element.addEventListener("click", toggle);
  left.addEventListener("click", (event) => event.target.closest("a") && left.classList.contains("open") && toggle());
  document.addEventListener("keydown", (event) => event.key === "Escape" && left.classList.contains("open") && toggle());
}

/** Count a new message. */
export function count(data) {
  const here = data.channel === current && !document.hidden;
  if (here) return seen(data.id);
  if (data.mine) return;
  unread[data.channel] = (Number(unread[data.channel]) || 0) + 1;
  show();
}

let newestHere = 0;
function seen(id = 0) {
  newestHere = Math.max(newestHere, id);
  delete unread[current];
  read[current] = Math.max(read[current] || 0, newestHere);
  localStorage.setItem(STORE, JSON.stringify(read));
  show();
}

const links = () => document.querySelectorAll(".channel");

function show() {
  for (const link of links()) {
    const badge = link.querySelector(".unread");
    const number = unread[link.dataset.channel];
    badge.hidden = !number;
    badge.textContent = number ?? "";
    link.classList.toggle("has-unread", Boolean(number));
  }
  const total = Object.values(unread).reduce((sum, number) => sum + (Number(number) || 0), 0);
  document.title = total ? `(${total}) ${title}` : title;
  const dot = document.querySelector(".unread-dot");
  if (dot) dot.hidden = !Object.keys(unread).length;
}

function toggle() {
  const open = left.classList.toggle("open");
  document.querySelector(".veil").hidden = !open;
  const opener = document.querySelector(".drawer-open");
  opener.setAttribute("aria-expanded", String(open));
  if (open) left.querySelector("a, button").focus();
  else opener.focus();
}
