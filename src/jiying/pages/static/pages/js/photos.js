// Choosing and sending photos: made smaller on the telephone, sent one by one, again when one breaks off.
//
//   <div data-photos data-url="…" data-purpose="…"> … </div>   pages/parts/photo_input.html
//
// With an empty data-url the photos wait until the form around them was sent (the report comes first) and are then
// kept in the outbox for the page that follows.  A form with photos under way is sent when they are there.
// Each photo has one Idempotency-Key for all its tries, so it arrives once.

import { withNotes } from "./exif.js";
import { forget, keep, waiting } from "./outbox.js";

const LONGEST = 2048;
const SMALL_ENOUGH = 600 * 1024;
const WAITS = [1, 2, 4, 8, 15, 30];
const TRY_MS = 90_000;
const LATER = [0, 408, 409, 425, 429, 500, 502, 503, 504];

/** Photos of this page by key: {key, url, purpose, blob, at, box, is, tries, timer, item}. */
const photos = new Map();

/** What photos of `box` are for: its own purpose, or the one chosen in the form around it. */
function purposeOf(box) {
  return box.dataset.purpose || box.closest("form")?.elements.namedItem("purpose")?.value || "other";
}

/** Whether a photo that waits belongs into `box`. */
function fits(photo, box) {
  return photo.url === box.dataset.url && (!box.dataset.purpose || photo.purpose === box.dataset.purpose);
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A smaller copy where that helps, with what the camera noted; the file itself where it cannot be drawn. */
async function smaller(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return file; // No picture, as far as this browser knows: the server says so in words.
  }
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  if (scale === 1 && file.size <= SMALL_ENOUGH) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const copy = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return copy && copy.size < file.size ? withNotes(copy, file) : file;
}

// -- showing -----------------------------------------------------------------------------------------

function show(photo) {
  const box = photo.box;
  if (!box) return;
  const queue = box.querySelector("[data-photo-queue]");
  if (!photo.item) {
    photo.item = box.querySelector("[data-item]").content.firstElementChild.cloneNode(true);
    const image = photo.item.querySelector("img");
    image.src = URL.createObjectURL(photo.blob);
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    photo.item.querySelector("[data-again]").addEventListener("click", () => send(photo));
    photo.item.querySelector("[data-drop]").addEventListener("click", () => drop(photo));
  }
  if (photo.item.parentElement !== queue) queue.append(photo.item);
  queue.hidden = false;
  photo.item.dataset.is = photo.is;
  const state = photo.item.querySelector("[data-state]");
  const words = {
    waits: state.dataset.waits,
    sending: state.dataset.sending.replace("{p}", `${photo.percent || 0}%`),
    sent: state.dataset.sent,
    broken: `${state.dataset.broken.replace("{s}", photo.wait)}${box.dataset.kept ? ` ${box.dataset.kept}` : ""}`,
    "sign-in": state.dataset.signIn,
    refused: photo.detail,
  };
  state.textContent = words[photo.is];
  const bar = photo.item.querySelector("progress");
  bar.hidden = photo.is !== "sending";
  bar.value = photo.percent || 0;
  photo.item.querySelector("[data-again]").hidden = !["broken", "sign-in"].includes(photo.is);
  photo.item.querySelector("[data-drop]").hidden = ["sending", "sent"].includes(photo.is);
  mark(box);
}

/** Whether photos of `box` are on their way; refresh.js leaves such a box alone. */
function mark(box) {
  const under = [...photos.values()].some((photo) => photo.box === box && ["sending", "broken"].includes(photo.is));
  if (under) box.dataset.uploading = "1";
  else delete box.dataset.uploading;
}

function drop(photo) {
  clearTimeout(photo.timer);
  photos.delete(photo.key);
  photo.item?.remove();
  forget(photo.key);
  if (photo.box) mark(photo.box);
  settle();
}

// -- sending -----------------------------------------------------------------------------------------

function token() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value || /csrftoken=([^;]+)/.exec(document.cookie)?.[1] || "";
}

/** One try; resolves to {status, detail, signIn}. */
function posted(photo) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", photo.url);
    request.timeout = TRY_MS;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", photo.key);
    request.setRequestHeader("X-CSRFToken", token());
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      photo.percent = Math.round((100 * event.loaded) / event.total);
      show(photo);
    });
    request.addEventListener("load", () => {
      const json = (request.getResponseHeader("Content-Type") || "").includes("json");
      const said = json ? JSON.parse(request.responseText) : {};
      resolve({ status: request.status, detail: said.detail || "", signIn: !json && request.status < 400 });
    });
    for (const name of ["error", "abort", "timeout"]) {
      request.addEventListener(name, () => resolve({ status: 0, detail: "", signIn: false }));
    }
    const body = new FormData();
    body.append("purpose", photo.purpose);
    body.append("photos", photo.blob, "photo.jpg");
    request.send(body);
  });
}

async function send(photo) {
  clearTimeout(photo.timer);
  if (photo.is === "sending" || photo.is === "sent") return;
  photo.is = "sending";
  photo.percent = 0;
  show(photo);
  const { status, detail, signIn } = await posted(photo);
  if (signIn) photo.is = "sign-in";
  else if (status >= 200 && status < 300) photo.is = "sent";
  else if (LATER.includes(status)) again(photo);
  else {
    photo.is = "refused";
    photo.detail = detail || String(status);
  }
  if (photo.is === "sent" || photo.is === "refused") await forget(photo.key);
  show(photo);
  settle();
  const around = photo.box?.closest("details[data-closes]");
  if (around && !around.querySelector(".photo-item:not([data-is=sent])")) around.open = false;
  if (photo.is === "sent") document.dispatchEvent(new CustomEvent("jiying:order"));
}

function again(photo) {
  photo.is = "broken";
  photo.wait = WAITS[Math.min(photo.tries, WAITS.length - 1)];
  photo.tries += 1;
  photo.timer = setTimeout(send, photo.wait * 1000, photo);
}

async function add(box, files) {
  for (const file of files) {
    const photo = { key: newKey(), url: box.dataset.url, purpose: purposeOf(box), at: Date.now() };
    photo.blob = await smaller(file);
    Object.assign(photo, { box, is: "waits", tries: 0 });
    photos.set(photo.key, photo);
    show(photo);
    if (!photo.url) continue;
    await keep(entry(photo));
    send(photo);
  }
}

function entry({ key, url, purpose, blob, at }) {
  return { key, url, purpose, blob, at };
}

// -- forms around photos -----------------------------------------------------------------------------

/** A form that was pressed while its photos were on their way is sent once none is. */
let pressed = null;

function underWay(form) {
  return [...photos.values()].some((photo) => photo.url && form.contains(photo.box) && ["sending", "broken", "waits"].includes(photo.is));
}

function settle() {
  if (!pressed || underWay(pressed.form)) return;
  const { form, submitter } = pressed;
  pressed = null;
  if (form.isConnected) form.requestSubmit(submitter?.isConnected ? submitter : undefined);
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.querySelector?.("[data-photos]") || !underWay(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed = { form, submitter: event.submitter };
    form.querySelector("[data-uploading]")?.scrollIntoView({ block: "nearest" });
  },
  true,
);

/** The report was taken: its photos go into the outbox of the page that follows, which sends them. */
document.addEventListener("jiying:sent", async (event) => {
  const { response } = event.detail;
  const held = [...photos.values()].filter((photo) => !photo.url);
  const page = new URL(response.url);
  if (!held.length || !response.ok || !response.redirected || page.pathname === location.pathname) return;
  event.preventDefault();
  for (const photo of held) {
    photo.url = `${page.pathname}/photos`;
    // Where the browser keeps nothing, one try is made before the page is left.
    if (!(await keep(entry(photo)))) await send(photo);
  }
  location.assign(response.url);
});

// -- beginning ---------------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  const box = event.target.matches?.("[type=file]") && event.target.closest("[data-photos]");
  if (!box) return;
  const files = [...event.target.files];
  event.target.value = ""; // The form itself sends none of them.
  add(box, files);
});
window.addEventListener("online", () => [...photos.values()].forEach((photo) => photo.is === "broken" && send(photo)));

function place(root) {
  for (const box of root.querySelectorAll("[data-photos]")) {
    box.dataset.ready = "1";
    for (const photo of photos.values()) {
      // The page was replaced around photos that are not there yet: they go on in the new one.
      if (fits(photo, box) && photo.is !== "sent" && !photo.box?.isConnected) {
        photo.box = box;
        show(photo);
      }
    }
  }
}

async function begin() {
  place(document);
  for (const kept of await waiting()) {
    if (photos.has(kept.key)) continue;
    const photo = { ...kept, is: "waits", tries: 0 };
    photos.set(photo.key, photo);
    photo.box = [...document.querySelectorAll("[data-photos]")].find((box) => fits(photo, box));
    send(photo);
  }
}

document.addEventListener("jiying:replaced", (event) => place(event.detail.main));
begin();
