/**
 * Waits in a page of the studio until it has stored what it shows, so that a test may leave it. The page shows a change
 * first and writes it then, which takes a busy machine longer than a person's next click takes a test.
 *
 * A driver carries this function into the page, so it uses nothing around it.
 */
export async function atRest() {
  const NAME = 'lemondata-studio';
  /** Whether the journal, which is read before it is written, is under way. */
  async function isWriting() {
    const { held = [], pending = [] } = (await navigator.locks?.query()) ?? {};
    return [...held, ...pending].some(({ name }) => name === NAME);
  }
  /** A dialog that has closed steps back in the history, and that would end a reload. */
  const isBack = () => (history.state?.dialogs ?? 0) <= document.querySelectorAll('dialog[open]').length;
  /** Writes of the same stores come one after another, so that the others are over with this one. */
  async function waitForWrites() {
    const known = await indexedDB.databases();
    if (!known.some(({ name }) => name === NAME)) return;
    await new Promise((resolve) => {
      const opening = indexedDB.open(NAME);
      opening.onerror = resolve;
      opening.onsuccess = () => {
        const { result: db } = opening;
        const end = () => {
          db.close();
          resolve();
        };
        const writing = db.transaction([...db.objectStoreNames], 'readwrite');
        Object.assign(writing, { oncomplete: end, onabort: end });
      };
    });
  }
  // A channel, since a test may have stopped the timers of the page.
  const { port1, port2 } = new MessageChannel();
  while ((await isWriting()) || !isBack()) {
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(undefined);
    });
  }
  port1.close();
  await waitForWrites();
}
