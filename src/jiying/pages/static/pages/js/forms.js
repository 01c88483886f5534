// Forms marked data-form are sent by fetch: once, with what was typed kept when the network fails.
//
// The hidden field idempotency_key goes along unchanged on every try, so a second sending never counts twice.
// An answer that redirects is followed; a page that says what is wrong replaces <main>, with its own fields filled.
// Without a script the same forms post as usual.
//
//   jiying:sent    on the form, cancellable: {response}   prevent it to handle the answer yourself
//   data-point     a hidden field that gets "lon,lat,accuracy" when the form's verb is opened

function busy(form, on) {
  form.dataset.busy = on ? "1" : "";
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.disabled = on;
    button.setAttribute("aria-busy", String(on));
  }
}

function complain(form) {
  form.querySelector("[data-send-problem]")?.remove();
  const text = document.querySelector('template[data-text="send-failed"]');
  if (!text) return;
  const box = text.content.firstElementChild.cloneNode(true);
  box.dataset.sendProblem = "";
  form.append(box);
  box.scrollIntoView({ block: "nearest" });
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function showPage(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  if (!main) throw new TypeError("the answer is no page");
  document.querySelector("main").replaceWith(document.adoptNode(main));
  (main.querySelector("[aria-invalid=true], [role=alert]") || main).scrollIntoView({ block: "nearest" });
  main.querySelector("[aria-invalid=true]")?.focus();
  document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main } }));
}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const key = form.elements.namedItem("idempotency_key");
  if (key && !key.value) {
    key.value = newKey();
    body.set("idempotency_key", key.value);
  }
  busy(form, true);
  try {
    const response = await fetch(submitter?.getAttribute("formaction") || form.action, { method: "POST", body });
    const event = new CustomEvent("jiying:sent", { bubbles: true, cancelable: true, detail: { response } });
    if (!form.dispatchEvent(event)) return;
    // The same page again is put in place, so that nothing jumps and its message is not lost; another is gone to.
    const elsewhere = new URL(response.url).pathname !== location.pathname;
    if (response.redirected && response.ok && elsewhere) location.assign(response.url);
    else await showPage(response);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    complain(form);
  } finally {
    busy(form, false);
  }
}

function locate(details) {
  const field = details.querySelector?.("[data-point]");
  if (!details.open || !field || field.value || !navigator.geolocation) return;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      field.value = `${coords.longitude.toFixed(6)},${coords.latitude.toFixed(6)},${Math.round(coords.accuracy)}`;
    },
    () => {}, // Without a position the arrival still counts, with a lower grade.
    { enableHighAccuracy: true, timeout: 8000, maximumAge: 30000 },
  );
}

/** Listen; called once by page.js. */
export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !("form" in form.dataset)) return;
    event.preventDefault();
    if (!form.dataset.busy) send(form, event.submitter);
  });
  // The toggle event does not bubble.
  document.addEventListener("toggle", (event) => locate(event.target), true);
}
