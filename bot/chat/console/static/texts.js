// Words and moments, in the page's language. The words come from the catalogues with the page.

const words = JSON.parse(document.body.dataset.texts || "{}");
const locale = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = new Intl.DateTimeFormat(locale, { month: "long", day: "numeric", weekday: "short" });
const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export const dayOf = (at) => date.format(new Date(at));
export const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** Put every moment below an element into the reader's own time zone, and ages into words. */
export function tellTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-at]")) {
    const moment = new Date(Number(element.dataset.at));
    element.textContent = clock.format(moment);
    element.title = full.format(moment);
  }
  for (const element of root.querySelectorAll("time[data-age]")) {
    const moment = new Date(Number(element.dataset.age));
    element.textContent = age(Date.now() - moment.getTime());
    element.title = full.format(moment);
  }
}

function age(milliseconds) {
  const minutes = Math.max(0, Math.floor(milliseconds / 60000));
  if (minutes < 1) return say("age_now");
  if (minutes < 60) return say("age_minutes", { n: minutes });
  if (minutes < 48 * 60) return say("age_hours", { n: Math.floor(minutes / 60) });
  return say("age_days", { n: Math.floor(minutes / 1440) });
}
