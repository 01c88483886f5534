// The desk with a script: a row opens beside the queue, more rows are appended, and what others do shows up
// without moving what one reads.  Every address and form works without it.

const WIDE = window.matchMedia("(min-width: 68rem)");
const QUIET = 1200;
let timer = 0;

const queue = () => document.querySelector("[data-queue]");
const matter = () => document.querySelector("[data-matter]");
const rows = (root) => [...root.querySelectorAll("[data-row]")];

async function part(url, name) {
  const answer = await fetch(url, { headers: { "X-Part": name }, cache: "no-store" });
  if (!answer.ok || answer.redirected) return null;
  const box = document.createElement("div");
  box.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  return box;
}

/** Whether replacing the order would take something out of somebody's hands. */
function busy(region) {
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input, textarea, select")) return true;
  if (region.querySelector("details[open] form, [data-busy='1']")) return true;
  return [...region.querySelectorAll("textarea, input:not([type=hidden])")].some((one) => one.value !== one.defaultValue);
}

function replaced(main) {
  document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main } }));
}

async function open(url, push = true) {
  const next = await part(url, "matter");
  if (!next) return location.assign(url);
  matter().replaceChildren(...next.childNodes);
  const path = new URL(url, location.href).pathname;
  for (const row of rows(queue())) {
    if (new URL(row.href).pathname === path) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  if (push) history.pushState({ desk: true }, "", url);
  matter().querySelector(".pane")?.scrollTo(0, 0);
  replaced(matter());
}

async function more(link) {
  link.setAttribute("aria-busy", "true");
  const next = await part(link.href, "queue");
  if (!next) return location.assign(link.href);
  const list = queue().querySelector("[data-rows]");
  const known = new Set(rows(list).map((row) => row.dataset.order));
  list.append(...rows(next).filter((row) => !known.has(row.dataset.order)));
  const further = next.querySelector("[data-more]");
  if (further) link.replaceWith(further);
  else link.parentElement.remove();
  replaced(list);
}

/** The newest state of the queue: rows change in place, new ones wait behind a line above the list. */
async function look() {
  const address = new URL(location.href);
  address.pathname = "/desk";
  const next = await part(address, "queue");
  if (!next) return;
  const shown = new Map(rows(queue()).map((row) => [row.dataset.order, row]));
  let fresh = 0;
  for (const row of rows(next)) {
    const old = shown.get(row.dataset.order);
    if (!old) fresh += 1;
    else if (old.innerHTML !== row.innerHTML) old.replaceChildren(...row.childNodes);
  }
  queue().querySelector(".chips")?.replaceWith(next.querySelector(".chips"));
  const line = queue().querySelector("[data-fresh]");
  if (line && fresh) {
    line.textContent = document.querySelector('template[data-text="fresh"]').content.textContent.trim();
    line.hidden = false;
    document.querySelector("[data-told]").textContent = line.textContent;
  }
  replaced(queue());
}

async function catchUp() {
  const page = matter().querySelector("[data-order-page]");
  if (document.hidden) return;
  await look();
  if (!page?.dataset.orderPage || busy(matter())) return;
  const next = await part(`/desk/orders/${page.dataset.orderPage}${location.search}`, "matter");
  const version = next?.querySelector("[data-order-page]")?.dataset.version;
  if (version && version !== page.dataset.version && !busy(matter())) {
    matter().replaceChildren(...next.childNodes);
    replaced(matter());
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(() => catchUp().catch(offline), QUIET);
}

// The strip at the top already says that the connection is gone; the next message asks again.
function offline(error) {
  if (!(error instanceof TypeError)) throw error;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const further = event.target.closest?.("[data-more]");
  const row = event.target.closest?.("[data-queue] [data-row]");
  if (further) {
    event.preventDefault();
    more(further).catch(() => location.assign(further.href));
  } else if (row && WIDE.matches && document.documentElement.dataset.type !== "large") {
    event.preventDefault();
    open(row.href).catch(() => location.assign(row.href));
  }
});
window.addEventListener("popstate", () => location.reload());
document.addEventListener("jiying:order", soon);
document.addEventListener("jiying:gone", soon);
document.addEventListener("jiying:reset", soon);
document.addEventListener("visibilitychange", () => !document.hidden && soon());
