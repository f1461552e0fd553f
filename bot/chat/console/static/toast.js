// One line above the composer for what went wrong or was done; empty words take it away.

const box = document.getElementById("toast");
let timer = 0;

export function toast(words, kind = "problem") {
  clearTimeout(timer);
  box.hidden = !words;
  box.dataset.kind = kind;
  box.textContent = words;
  if (words) timer = setTimeout(() => (box.hidden = true), kind === "note" ? 2500 : 8000);
}
