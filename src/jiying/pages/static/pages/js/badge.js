// The number beside the inbox: asked for again after something happened, and once a minute on pages without a stream.

const AFTER_EVENT = 1500;
const EVERY = 60000;
let timer = 0;

async function ask(badge) {
  if (document.hidden) return;
  try {
    const answer = await fetch("/inbox/count", { headers: { Accept: "application/json" }, cache: "no-store" });
    // Signed out meanwhile: the sign-in page came instead.
    if (!answer.ok || answer.redirected) return;
    const { count } = await answer.json();
    const before = badge.textContent;
    badge.textContent = count;
    // What waits need not be an event of an order.
    if (before !== String(count)) document.dispatchEvent(new CustomEvent("jiying:count"));
    badge.classList.toggle("badge-none", !count);
  } catch (error) {
    // Without a connection the number stays; the next round asks again.
    if (!(error instanceof TypeError)) throw error;
  }
}

export function startBadge() {
  const badge = document.querySelector("[data-test='inbox-count']");
  if (!badge) return;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, AFTER_EVENT, badge);
  };
  for (const name of ["order", "gone", "reset"]) document.addEventListener(`jiying:${name}`, soon);
  document.addEventListener("visibilitychange", () => !document.hidden && soon());
  setInterval(ask, EVERY, badge);
}
