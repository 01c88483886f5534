// Keeps every [data-clock] and every time[data-ago] right, by the server's time instead of the phone's.
// One timer for the page; the document is touched only where something reads differently than before.

import { face, fill, SIGNS } from "./clockface.js";

const phrases = JSON.parse(document.querySelector('meta[name="clock-phrases"]')?.content || "null");
const shown = new WeakMap();
let offset = serverOffset();

/** How far the server's clock is ahead of this machine's, in ms. */
function serverOffset() {
  const sent = Number(document.querySelector('meta[name="server-time"]')?.content);
  const [entry] = performance.getEntriesByType("navigation");
  if (!sent || !entry) return 0;
  return sent - (performance.timeOrigin + (entry.responseStart || entry.fetchStart));
}

/** The server's time now, in ms since 1970. */
export function serverNow() {
  return Date.now() + offset;
}

/** Tell the clocks what time it is at the server, in ms since 1970. */
export function setServerNow(ms) {
  if (Number.isFinite(ms)) offset = ms - Date.now();
}

/** A page that came out of the browser's own store carries an old time: ask again. */
async function askServer() {
  try {
    const before = Date.now();
    const answer = await fetch("/healthz", { cache: "no-store" });
    const date = Date.parse(answer.headers.get("date") || "");
    // The header has whole seconds: its middle is the best guess.
    if (date) setServerNow(date + 500 + (Date.now() - before) / 2);
  } catch {
    // Without the server the old offset is still the best known.
  }
}

function read(element) {
  const { state, from, due, reached, limit, ended } = element.dataset;
  return { state, from: +from, due: +due, reached: reached ? +reached : null, limit: +limit, ended: ended === "1" };
}

function text(element, part, value) {
  const target = element.querySelector(`[data-part="${part}"]`);
  if (target) target.textContent = value;
}

function show(element, now) {
  const next = face(read(element), now, phrases);
  const before = shown.get(element);
  if (before && before.words === next.words && before.share === next.share && before.phase === next.phase) return;
  shown.set(element, next);
  const turned = before && before.phase !== next.phase;
  if (!element.classList.contains(`tone-${next.phase}`)) {
    element.classList.remove(...[...element.classList].filter((name) => name.startsWith("tone-")));
    element.classList.add(`tone-${next.phase}`);
  }
  element.classList.toggle("clock-turned", Boolean(turned));
  element.querySelector(".ring-left")?.setAttribute("stroke-dasharray", `${next.share} 200`);
  element.querySelector(".ring-sign")?.setAttribute("d", SIGNS[next.phase]);
  const hand = element.querySelector(".ring-hand");
  if (hand) {
    const angle = (Math.PI * next.share) / 100;
    hand.setAttribute("cx", (24 + 20 * Math.cos(angle)).toFixed(2));
    hand.setAttribute("cy", (24 - 20 * Math.sin(angle)).toFixed(2));
    hand.toggleAttribute("hidden", next.phase !== "running" && next.phase !== "soon");
  }
  for (const part of ["number", "unit", "caption"]) text(element, part, next[part]);
  const words = element.querySelector(".clock-words");
  if (words) words.textContent = next.words;
  if (turned) element.dispatchEvent(new CustomEvent("jiying:turned", { bubbles: true, detail: next }));
}

function showAgo(element, now) {
  const minutes = Math.floor((now - Date.parse(element.dateTime)) / 60000);
  if (minutes < 0) return;
  const words = minutes >= 60 ? element.dataset.ago : minutes ? fill(phrases.ago, { m: minutes }) : phrases.now;
  if (element.textContent !== words) element.textContent = words;
}

/** Bring all clocks and times of the page up to date. */
export function tick() {
  if (document.hidden || !phrases) return;
  const now = serverNow();
  for (const element of document.querySelectorAll("[data-clock]")) show(element, now);
  for (const element of document.querySelectorAll("time[data-ago]")) showAgo(element, now);
}

/** Start counting; called once by page.js. */
export function startClocks() {
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) askServer().then(tick);
  });
  const [entry] = performance.getEntriesByType("navigation");
  if (entry && (entry.type === "back_forward" || entry.transferSize === 0)) askServer().then(tick);
}
