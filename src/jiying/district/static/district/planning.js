// Keeps [data-poll] up to date while the study runs; when it is over the page is loaded whole, with its result.

const EVERY = 1500;

async function look() {
  const region = document.querySelector("[data-poll]");
  if (!region || !("moving" in region.dataset)) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = answer.ok && page.querySelector("[data-poll]");
      if (next && !("moving" in next.dataset)) return location.reload();
      if (next) region.replaceWith(document.adoptNode(next));
    } catch (error) {
      // The network is away for a moment; the next look finds out.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
