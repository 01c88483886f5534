// Photos that wait to be sent, kept by the browser until the server has them: a closed tab, a page left or a telephone
// that was off loses none.  Each entry: {key, url, purpose, blob, at}; `key` is its Idempotency-Key.

const KEEP = 7 * 24 * 3600 * 1000;

function opened() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("jiying", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("photos", { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function ask(mode, question) {
  const db = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction("photos", mode);
      const asked = question(transaction.objectStore("photos"));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

/** Keep an entry; false where the browser keeps nothing (private windows, a full disk). */
export async function keep(entry) {
  try {
    await ask("readwrite", (store) => store.put(entry));
    return true;
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof ReferenceError)) throw error;
    return false;
  }
}

/** Forget an entry. */
export async function forget(key) {
  try {
    await ask("readwrite", (store) => store.delete(key));
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof ReferenceError)) throw error;
  }
}

/** All entries of the last week, the oldest first. */
export async function waiting() {
  try {
    const all = await ask("readonly", (store) => store.getAll());
    const late = all.filter((entry) => entry.at < Date.now() - KEEP);
    await Promise.all(late.map((entry) => forget(entry.key)));
    return all.filter((entry) => !late.includes(entry)).sort((a, b) => a.at - b.at);
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof ReferenceError)) throw error;
    return [];
  }
}
