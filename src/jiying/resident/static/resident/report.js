// The report page, with fewer reloads: places while typing, a position from the phone, urgency by the sign.
//
// Listens on the document, since a refused form replaces the page's main part.

const WAIT = 250;
let timer = 0;
let asked = 0;
let composing = false;

async function piece(path) {
  const answer = await fetch(path, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new TypeError(`${path} answered ${answer.status}`);
  return answer.text();
}

/** List the places for what stands in the search box; an answer that a later question overtook is dropped. */
async function find(input) {
  const list = input.closest("[data-where]").querySelector("[data-found]");
  const mine = ++asked;
  const words = input.value.trim();
  if (!words) {
    list.replaceChildren();
    return;
  }
  try {
    const html = await piece(`/report/places?q=${encodeURIComponent(words)}`);
    if (mine === asked) list.innerHTML = html;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Offline: the button still asks the server when the network is back.
  }
}

async function showWhere(root, query, focus) {
  const typed = root.querySelector("[name=unit]").value;
  try {
    root.innerHTML = await piece(`/report/where?${query}`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    root.querySelector("[data-offline]").hidden = false;
    return;
  }
  root.querySelector("[name=unit]").value = typed;
  for (const button of root.querySelectorAll("[data-locate]")) button.hidden = !navigator.geolocation;
  root.querySelector(focus)?.focus();
}

function locate(button) {
  const field = button.closest("form").elements.namedItem("point");
  const said = button.parentElement.querySelector("[data-located]");
  said.textContent = said.dataset.waiting;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      field.value = `${coords.longitude.toFixed(6)},${coords.latitude.toFixed(6)},${Math.round(coords.accuracy)}`;
      said.textContent = said.dataset.got.replace("{m}", Math.round(coords.accuracy));
    },
    () => {
      said.textContent = said.dataset.failed;
    },
    { enableHighAccuracy: true, timeout: 10000, maximumAge: 30000 },
  );
}

/** The sign proposes an urgency until somebody has chosen one. */
function propose(sign) {
  const field = sign.form.querySelector("[data-urgency-field]");
  if (field.dataset.touched) return;
  const fitting = field.querySelector(`input[value="${sign.dataset.urgency}"]`);
  if (fitting) fitting.checked = true;
}

function start(root) {
  for (const button of root.querySelectorAll("[data-locate]")) button.hidden = !navigator.geolocation;
  const field = root.querySelector("[data-urgency-field]");
  if (field?.querySelector(":checked")) field.dataset.touched = "1";
}

document.addEventListener("compositionstart", () => (composing = true));
document.addEventListener("compositionend", (event) => {
  composing = false;
  if (event.target.matches?.("[data-find]")) find(event.target);
});
document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-find]") || composing) return;
  clearTimeout(timer);
  timer = setTimeout(find, WAIT, event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || composing || !event.target.matches?.("[data-find]")) return;
  event.preventDefault();
  clearTimeout(timer);
  find(event.target);
});
document.addEventListener("change", (event) => {
  if (event.target.name === "category") propose(event.target);
  if (event.target.name === "urgency") event.target.closest("[data-urgency-field]").dataset.touched = "1";
});
// In the capture phase, before the form is sent.
document.addEventListener(
  "submit",
  (event) => {
    const button = event.submitter;
    const root = button?.closest("[data-where]");
    if (!root) return;
    event.preventDefault();
    event.stopPropagation();
    if (button.matches("[data-find-button]")) find(root.querySelector("[data-find]"));
    else if (button.matches("[data-change]")) showWhere(root, "", "[data-find]");
    else showWhere(root, `estate=${encodeURIComponent(button.value)}`, "select, [data-change]");
  },
  true,
);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-locate]");
  if (button) locate(button);
});
document.addEventListener("jiying:replaced", (event) => start(event.detail.main));
start(document);
