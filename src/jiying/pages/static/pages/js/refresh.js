// Brings [data-refresh] up to date when the stream says that something changed, without losing what one is doing.
//
//   <body data-live="…" data-live-types="order"> … <div data-refresh> … </div>
//
// The page is asked for again and the region is replaced.  While somebody types or has a form open, it waits until
// they are done.  Several changes in a row are one request.

const WAIT = 400;
let timer = 0;
let pending = false;

/** Whether replacing `region` would take something out of somebody's hands. */
function inUse(region) {
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input, textarea, select")) return true;
  if (region.querySelector("details[open] form, form[data-busy='1'], [data-uploading]")) return true;
  return [...region.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
}

async function refresh() {
  const region = document.querySelector("[data-refresh]");
  if (!region || document.hidden || inUse(region)) {
    pending = true;
    return;
  }
  pending = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-refresh]");
    if (!next || inUse(region)) return;
    const key = document.activeElement?.dataset?.test;
    region.replaceWith(document.adoptNode(next));
    if (page.title) document.title = page.title;
    if (key && document.activeElement === document.body) next.querySelector(`[data-test="${CSS.escape(key)}"]`)?.focus();
    document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main: next } }));
  } catch (error) {
    // The strip already says that the connection is gone; the next message asks again.
    if (!(error instanceof TypeError)) throw error;
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, WAIT);
}

document.addEventListener("jiying:order", soon);
document.addEventListener("jiying:gone", soon);
document.addEventListener("jiying:reset", soon);
document.addEventListener("jiying:count", soon);
// What came while one was busy is shown when one has finished.
document.addEventListener("visibilitychange", () => !document.hidden && pending && soon());
document.addEventListener("focusout", () => pending && soon());
document.addEventListener("toggle", () => pending && soon(), true);
