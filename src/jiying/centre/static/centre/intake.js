// The call-taker's form with a script: places are found while typing and chosen with the arrow keys or Enter, and
// what is known about the caller and the place appears beside.

const WAIT = 250;
let placesTimer = 0;
let besideTimer = 0;
let asked = 0;

const form = () => document.querySelector("[data-intake]");
const found = () => document.querySelector("[data-found]");

function fill(box, html) {
  box.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
}

async function findPlaces(words) {
  const mine = ++asked;
  const answer = await fetch(`/centre/intake/places?q=${encodeURIComponent(words)}`);
  if (answer.ok && mine === asked) fill(found(), await answer.text());
}

async function showBeside() {
  const answer = await fetch("/centre/intake/beside", { method: "POST", body: new FormData(form()) });
  if (!answer.ok) return;
  fill(document.querySelector("[data-beside]"), await answer.text());
  document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main: document.querySelector("[data-beside]") } }));
}

// Beside the form nothing is lost when the network is: the form itself says so when it is sent.
function offline(error) {
  if (!(error instanceof TypeError)) throw error;
}

function soonBeside() {
  clearTimeout(besideTimer);
  besideTimer = setTimeout(() => showBeside().catch(offline), WAIT);
}

/** The chosen place stands in its field and alone below it, so that Tab goes on and not through the list. */
function chosen(radio) {
  radio.checked = true;
  radio.tabIndex = -1;
  asked += 1;
  for (const item of found().querySelectorAll("li")) if (!item.contains(radio)) item.remove();
  form().elements.q.value = radio.dataset.name;
  soonBeside();
}

document.addEventListener("input", (event) => {
  if (!form()?.contains(event.target)) return;
  if ("places" in event.target.dataset) {
    clearTimeout(placesTimer);
    const words = event.target.value.trim();
    placesTimer = setTimeout(() => findPlaces(words).catch(offline), WAIT);
  } else if (["phone", "estate", "category"].includes(event.target.name)) soonBeside();
});

document.addEventListener("click", (event) => {
  // A click on a place; arrow keys click too, with no button of a mouse behind it, and only move.
  if (event.target.name === "estate" && form()?.contains(event.target) && event.detail) chosen(event.target);
});

document.addEventListener("keydown", (event) => {
  const inside = form()?.contains(event.target);
  if (!inside || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form().requestSubmit();
  } else if ("places" in event.target.dataset && (event.key === "Enter" || event.key === "ArrowDown")) {
    // Enter takes the first place found and goes on; the arrow goes into the list.
    event.preventDefault();
    const first = found().querySelector("input[type=radio]");
    if (!first) return;
    if (event.key === "ArrowDown") return first.focus();
    chosen(first);
    form().elements.building.focus();
  } else if (event.key === "Enter" && event.target.name === "estate") {
    event.preventDefault();
    chosen(event.target);
    form().elements.building.focus();
  } else if (event.key === "Enter" && event.target.matches("input")) {
    // A half-filled form is not sent by an Enter too many: it goes to the next field.
    event.preventDefault();
    const fields = [...form().querySelectorAll("input:not([type=hidden]):not([type=radio]), textarea, select, button")];
    fields[fields.indexOf(event.target) + 1]?.focus();
  }
});
