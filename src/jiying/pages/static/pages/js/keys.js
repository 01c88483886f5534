// One-key shortcuts.
//
//   data-key="s"      pressing s clicks the element (a field gets the focus, a details' summary opens)
//   data-says="签收"   how the list behind ? names it (default: the element's own words)
//   data-rows          j and k walk along the [data-row] elements inside
//
// Ignored while typing, with modifiers, and while a dialog is open.

const FIELDS = "input:not([type=radio]):not([type=checkbox]):not([type=button]):not([type=submit]), textarea, select";

function typing(target) {
  return target instanceof Element && (target.matches(FIELDS) || target.isContentEditable);
}

function usable(element) {
  return !element.disabled && !element.closest("[hidden]");
}

function press(element) {
  // A verb inside a closed menu: open the menu, so that its form can be seen.
  for (let outer = element.parentElement?.closest("details"); outer; outer = outer.parentElement?.closest("details")) {
    if (!outer.open && element.parentElement !== outer) outer.open = true;
  }
  if (element.matches(FIELDS)) element.focus();
  else element.click();
  if (element.matches("summary")) element.parentElement.querySelector("textarea, input:not([type=hidden]), select")?.focus();
}

function walk(step) {
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const from = here >= 0 ? here : rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = rows[Math.max(0, Math.min(rows.length - 1, from + step))];
  (next.matches("a, button, [tabindex]") ? next : next.querySelector("a, button"))?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function list(dialog) {
  const table = dialog.querySelector("[data-keys]");
  for (const old of table.querySelectorAll("[data-added]")) old.remove();
  const seen = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    const { key, says } = element.dataset;
    if (!key || seen.has(key) || !usable(element)) continue;
    seen.add(key);
    const term = document.createElement("dt");
    const mark = document.createElement("kbd");
    mark.textContent = key;
    term.append(mark);
    const meaning = document.createElement("dd");
    meaning.textContent = says || element.getAttribute("aria-label") || element.textContent.trim();
    for (const part of [term, meaning]) part.dataset.added = "";
    table.append(term, meaning);
  }
  dialog.showModal();
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    const dialog = document.getElementById("keys");
    if (dialog) list(dialog);
  } else if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else {
    const wanted = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === wanted && usable(one));
    if (!found) return;
    press(found);
  }
  event.preventDefault();
}

/** Listen; called once by page.js. */
export function startKeys() {
  document.addEventListener("keydown", onKey);
}
