// The page's entry: what runs depends on which page it is.

import { tellTimes, say } from "./texts.js";

const { page, revision, channel, acts } = document.body.dataset;
tellTimes();

document.querySelector("[data-logout]")?.addEventListener("click", async () => {
  await fetch("/console/logout", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  location.assign("/console/login");
});

if (page === "conversation") await conversation();
else if (page === "dashboard") await dashboard();
else if (page === "login") await login();

async function conversation() {
  const [feed, channels, side, live] = await Promise.all(
    ["./feed.js", "./channels.js", "./side.js", "./live.js"].map((name) => import(name)));
  feed.start();
  channels.start(Number(feed.messages().at(-1)?.dataset.id ?? 0));
  if (acts) {
    const [composer, actions] = await Promise.all([import("./composer.js"), import("./actions.js")]);
    composer.start();
    actions.start();
  }
  const refresh = side.refresher(side.loadSide);
  live.follow(Number(revision), {
    message(data) {
      const known = document.getElementById(`m${data.id}`);
      if (data.channel === channel && (known || !data.changed || isNewer(data.id, feed))) feed.put(data);
      if (!known && !data.changed) channels.count(data);
    },
    state: refresh,
    reload: () => location.reload(),
  });
}

// A rewritten message above what is loaded stays where it is, out of sight.
const isNewer = (id, feed) => id > Number(feed.messages()[0]?.dataset.id ?? 0);

async function dashboard() {
  const [side, live] = await Promise.all([import("./side.js"), import("./live.js")]);
  const refresh = side.refresher(side.loadBoard);
  const newest = 999999999999999; // the dashboard shows no messages
  live.follow(newest, { message() {}, state: refresh, reload: refresh });
}

async function login() {
  const { postLogin } = await import("./login.js");
  postLogin(say);
}
