// The stream of the page: an EventSource on body[data-live], whose messages become events of the document.
//
//   <body data-live="/live/events" data-live-types="order" data-live-from="0-42">
//   document.addEventListener("jiying:order", (event) => event.detail)   // the parsed data of a message
//   document.addEventListener("jiying:gone", …)    // an order left one's sight; "jiying:reset": too much was missed
//   document.addEventListener("jiying:live", (event) => event.detail)    // {up: true|false}
//
// While the stream is down a quiet strip says so.  The browser reconnects by itself; where it gives up, we do.

const FIRST_WAIT = 2000;
const LONGEST_WAIT = 30000;

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

// What every page has to know, whatever else it listens to.
const ALWAYS = ["gone", "reset"];

/**
 * Open the stream at `url`; `types` are the named messages besides the plain ones and those of ALWAYS.
 * `from` is the position in the log at which the page was read: what happened since is told. Returns a function that
 * ends it.
 */
export function connect(url, types = [], from = "") {
  let source = null;
  let wait = FIRST_WAIT;
  let timer = 0;
  let last = from;
  let up = true;

  function state(isUp) {
    if (up === isUp) return;
    up = isUp;
    for (const strip of document.querySelectorAll("[data-live-strip]")) strip.hidden = isUp;
    tell("jiying:live", { up: isUp });
  }

  function take(event) {
    if (event.lastEventId) last = event.lastEventId;
    tell(`jiying:${event.type === "message" ? "event" : event.type}`, parsed(event.data));
  }

  function open() {
    const address = new URL(url, location.href);
    // A new EventSource cannot send Last-Event-ID, so the cursor goes into the address.
    if (last) address.searchParams.set("last_event_id", last);
    source = new EventSource(address);
    source.addEventListener("open", () => {
      wait = FIRST_WAIT;
      state(true);
    });
    source.addEventListener("message", take);
    for (const type of new Set([...ALWAYS, ...types])) source.addEventListener(type, take);
    source.addEventListener("error", () => {
      state(false);
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
  }

  function close() {
    clearTimeout(timer);
    source?.close();
  }

  // A page kept for going back must not hold a connection; it opens a new one when it is shown again.
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });
  open();
  return close;
}

/** Connect where the page asks for it. */
export function startLive() {
  const { live, liveTypes, liveFrom } = document.body.dataset;
  if (live) connect(live, (liveTypes || "").split(" ").filter(Boolean), liveFrom || "");
}
