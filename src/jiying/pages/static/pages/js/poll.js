// Keeps [data-poll] up to date while something in it is under way: the page is asked for again every second or so.
// Without a script the page reloads itself.

const EVERY = 1200;

async function look() {
  const region = document.querySelector("[data-poll]");
  if (!region || !("moving" in region.dataset)) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = answer.ok && page.querySelector("[data-poll]");
      if (next) {
        region.replaceWith(document.adoptNode(next));
        document.dispatchEvent(new CustomEvent("jiying:replaced", { detail: { main: next } }));
      }
    } catch (error) {
      // The network is away for a moment; the next look finds out.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
