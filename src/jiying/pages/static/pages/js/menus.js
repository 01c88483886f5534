// Menus are <details class="menu">, dialogs are <dialog>: they open without us.  Here is what the browser leaves out.
//
//   data-dialog="ID"   a button that opens the dialog ID     data-close   a button that closes its dialog

/** Close menus on Escape and on a click elsewhere; open and close dialogs. */
export function startMenus() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    for (const open of document.querySelectorAll("details.menu[open], .verb-bar > details.verb[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    // A click on the backdrop hits the dialog itself, outside its box.
    if (event.target instanceof HTMLDialogElement && outside(event.target, event)) event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = [...document.querySelectorAll("details.menu[open], details.verb[open]")].pop();
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}

function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}
