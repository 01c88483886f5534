// Copying, sharing and printing the link, where the browser can.

function start(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const button of root.querySelectorAll("[data-share]")) button.hidden = !navigator.share;
  for (const button of root.querySelectorAll("[data-print]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-share], [data-print]");
  if (!button) return;
  try {
    if (button.dataset.copy) {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
    } else if (button.dataset.share) {
      await navigator.share({ title: button.dataset.title, url: button.dataset.share });
    } else {
      window.print();
    }
  } catch (error) {
    // Refused or closed by the person: the link itself stays on the page.
    if (!(error instanceof DOMException)) throw error;
  }
});
document.addEventListener("jiying:replaced", (event) => start(event.detail.main));
start(document);
