// The only script: it keeps the panel up to date. Without it, everything else works the same.
const badge = document.getElementById("live");
const shown = {};
let source;
let hadEnded = false;

function say(text, state) {
  badge.hidden = false;
  badge.textContent = text;
  document.getElementById("panel").dataset.state = state;
}

function show(event) {
  // The server has escaped what is in these.
  for (const [id, html] of Object.entries(JSON.parse(event.data))) {
    if (shown[id] !== html) document.getElementById(id).innerHTML = shown[id] = html;
  }
}

function open() {
  close();
  source = new EventSource("/events");
  source.addEventListener("session", (event) => {
    show(event);
    say(hadEnded ? "live, under a new id" : "live", "live");
  });
  source.addEventListener("ended", () => {
    // Ended, or under a new id: ask once more, with the cookie as it is by now.
    hadEnded = true;
    open();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) say("session ended", "ended");
    else say("no connection, trying again", "lost");
  });
}

function close() {
  source?.close();
}

// A hidden tab gives its connection back: browsers have six for each host.
document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
addEventListener("pagehide", close);
addEventListener("pageshow", open);

const burst = document.getElementById("burst");
burst.hidden = false;
burst.addEventListener("click", async () => {
  burst.disabled = true;
  const body = new URLSearchParams({ add: "sencha" });
  const send = () => fetch("/cart", { method: "POST", body, redirect: "manual" });
  await Promise.all(Array.from({ length: 10 }, send));
  keepScroll();
  location.assign("/");
});

// A form's answer is a new page: it opens where the old one stood.
function keepScroll() {
  sessionStorage.setItem("scroll", String(scrollY));
}
addEventListener("submit", keepScroll);
scrollTo(0, Number(sessionStorage.getItem("scroll") ?? 0));
sessionStorage.removeItem("scroll");
