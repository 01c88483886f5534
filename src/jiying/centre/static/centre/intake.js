// The call-taker's form with a script: places are found while typing and chosen with the arrow keys or Enter; what the
// words suggest, likely duplicates and the caller appear around the fields while typing, and no field moves.
//
//   Enter        next field; in the place: take the first found     F2   take the suggestion
//   Ctrl+Enter   register                                           F4   the place of the caller's last report
//                                                                   F8   to the likely duplicates
// A key that belongs to an input method (isComposing) is never ours.

const WAIT = 200;
const TOLD = ["phone", "estate", "building", "unit", "category", "urgency", "description"];
let placesTimer = 0;
let besideTimer = 0;
let asked = 0;
let askedBeside = 0;

const form = () => document.querySelector("[data-intake]");
const found = () => document.querySelector("[data-found]");
const field = (name) => form().elements.namedItem(name);
const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

async function findPlaces(words) {
  const mine = ++asked;
  const answer = await fetch(`/centre/intake/places?q=${encodeURIComponent(words)}`);
  if (!answer.ok) return;
  const page = parsed(await answer.text());
  if (mine === asked) found().replaceChildren(...page.body.childNodes);
}

/** Put new content in, unless it is the same, or somebody is in it at this moment. */
function put(box, fresh) {
  if (box.innerHTML === fresh.innerHTML || box.contains(document.activeElement)) return;
  box.replaceChildren(...fresh.childNodes);
  document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main: box } }));
}

async function showBeside() {
  const mine = ++askedBeside;
  const answer = await fetch("/centre/intake/beside", { method: "POST", body: new FormData(form()) });
  if (!answer.ok) return;
  const page = parsed(await answer.text());
  if (mine !== askedBeside || !form()) return;
  put(document.querySelector("[data-suggested]"), page.querySelector('[data-part="suggested"]'));
  put(document.querySelector("[data-beside]"), page.querySelector('[data-part="beside"]'));
}

// Beside the form nothing is lost when the network is: the form itself says so when it is sent.
function offline(error) {
  if (!(error instanceof TypeError)) throw error;
}

function soonBeside() {
  clearTimeout(besideTimer);
  besideTimer = setTimeout(() => showBeside().catch(offline), WAIT);
}

/** Where one goes on: the first of building, room and words that is empty. */
function goOn() {
  const next = ["building", "unit", "description"].map(field).find((one) => !one.value) ?? field("description");
  next.focus();
}

/** The chosen place stands in its field and alone below it, so that Tab goes on and not through the list. */
function chosen(radio) {
  radio.checked = true;
  radio.tabIndex = -1;
  asked += 1;
  clearTimeout(placesTimer);
  for (const item of found().querySelectorAll("li")) if (!item.contains(radio)) item.remove();
  field("q").value = radio.dataset.name;
  for (const name of ["building", "unit"]) if (radio.dataset[name]) field(name).value = radio.dataset[name];
  soonBeside();
}

/** Take the first place found; what was typed a moment ago is asked about first. */
async function takeFirst() {
  clearTimeout(placesTimer);
  await findPlaces(field("q").value.trim());
  const first = found().querySelector("input[type=radio]");
  if (!first) return;
  chosen(first);
  goOn();
}

function takeSuggestion() {
  const said = document.querySelector("[data-suggestion]");
  if (!said) return;
  for (const name of ["category", "urgency"]) if (said.dataset[name]) field(name).value = said.dataset[name];
  soonBeside();
}

async function takeLastPlace() {
  const last = document.querySelector("[data-before]")?.dataset;
  if (!last) return;
  await findPlaces(last.code);
  const radio = [...found().querySelectorAll("input[type=radio]")].find((one) => one.value === last.code);
  if (!radio) return;
  field("building").value = last.building;
  field("unit").value = last.unit;
  chosen(radio);
  goOn();
}

const KEYS = {
  F2: takeSuggestion,
  F4: takeLastPlace,
  F8: () => document.querySelector("[data-beside] [data-join]")?.focus(),
};

function heard(target) {
  if ("places" in target.dataset) {
    clearTimeout(placesTimer);
    const words = target.value.trim();
    placesTimer = setTimeout(() => findPlaces(words).catch(offline), WAIT);
  } else if (TOLD.includes(target.name)) soonBeside();
}

document.addEventListener("input", (event) => {
  if (form()?.contains(event.target) && !event.isComposing) heard(event.target);
});
document.addEventListener("compositionend", (event) => {
  if (form()?.contains(event.target)) heard(event.target);
});

document.addEventListener("click", (event) => {
  if (!form()) return;
  const button = event.target.closest?.("[data-take], [data-as-before]");
  if (button) {
    event.preventDefault();
    if ("take" in button.dataset) takeSuggestion();
    else takeLastPlace().catch(offline);
  }
  // A click on a place; arrow keys click too, with no button of a mouse behind it, and only move.
  if (event.target.name === "estate" && form().contains(event.target) && event.detail) chosen(event.target);
});

document.addEventListener("keydown", (event) => {
  // 229: the key went to an input method, also in browsers that end the composition first.
  if (!form() || event.isComposing || event.keyCode === 229) return;
  if (KEYS[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    Promise.resolve(KEYS[event.key]()).catch(offline);
    return;
  }
  if (!form().contains(event.target)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form().requestSubmit(form().querySelector("[data-test=intake-submit]"));
  } else if ("places" in event.target.dataset && (event.key === "Enter" || event.key === "ArrowDown")) {
    event.preventDefault();
    if (event.key === "ArrowDown") found().querySelector("input[type=radio]")?.focus();
    else takeFirst().catch(offline);
  } else if (event.key === "Enter" && event.target.name === "estate") {
    event.preventDefault();
    chosen(event.target);
    goOn();
  } else if (event.key === "Enter" && event.target.matches("input")) {
    // A half-filled form is not sent by an Enter too many: it goes to the next field.
    event.preventDefault();
    const fields = [...form().querySelectorAll("input:not([type=hidden]):not([type=radio]), textarea, select, button")];
    fields[fields.indexOf(event.target) + 1]?.focus();
  }
});
