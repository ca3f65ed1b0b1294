// The only script. It keeps the panel up to date; everything else works without it.
const badge = document.getElementById("live");
const shown = {};
let source;
let hasEnded = false;

function showStatus(text, state) {
  badge.hidden = false;
  badge.textContent = text;
  document.getElementById("panel").dataset.state = state;
}

function show(event) {
  // The server has escaped the values in this HTML.
  for (const [id, html] of Object.entries(JSON.parse(event.data))) {
    if (shown[id] !== html) document.getElementById(id).innerHTML = shown[id] = html;
  }
}

function open() {
  close();
  source = new EventSource("/events");
  source.addEventListener("session", (event) => {
    show(event);
    showStatus(hasEnded ? "live, new ID" : "live", "live");
  });
  source.addEventListener("ended", () => {
    // The session ended or got a new ID. Reconnect once with the current cookie.
    hasEnded = true;
    open();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) showStatus("session ended", "ended");
    else showStatus("connection lost, retrying", "lost");
  });
}

function close() {
  source?.close();
}

// Close the connection of a hidden tab: browsers allow only six per host over HTTP/1.1.
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

// A form loads a new page. Scroll it to the position of the old one.
function keepScroll() {
  sessionStorage.setItem("scroll", String(scrollY));
}
addEventListener("submit", keepScroll);
scrollTo(0, Number(sessionStorage.getItem("scroll") ?? 0));
sessionStorage.removeItem("scroll");
