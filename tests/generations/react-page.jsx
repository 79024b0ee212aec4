/** A page with a store whose client the test answers. `show` renders what the test names. */

import { createGenerations } from 'lemondata-wasm/generations';
import { GenerationsProvider, useGeneration, useGenerations } from 'lemondata-wasm/react';
import { StrictMode, Suspense, startTransition } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

const calls = [];
const method = (name) => (input, options) =>
  new Promise((resolve, reject) => {
    const call = { name, input, options, done: (data) => resolve({ status: 'completed', data }) };
    calls.push(call);
    options.signal.addEventListener('abort', () => reject(options.signal.reason));
  });
const client = {
  generateAndWait: method('generate'),
  editAndWait: method('edit'),
  waitForTask: method('wait'),
};
const generations = createGenerations({ client });

globalThis.renders = 0;

function Picture({ source = { prompt: 'A lemon' }, ...options }) {
  globalThis.renders += 1;
  // Another object at each render, as one that is written in a component.
  const generation = useGeneration(typeof source === 'string' ? source : { ...source }, options);
  return (
    <p>
      {generation?.phase ?? 'nothing'} {generation?.progress} {generation?.images[0]?.url}
    </p>
  );
}

function List() {
  const { generations, start, remove } = useGenerations();
  globalThis.actions = { start, remove };
  return <p>{generations.map(({ id, phase }) => `${id}: ${phase}`).join()}</p>;
}

const pending = new Promise(() => {});
function Never() {
  throw pending;
}

const PARTS = { picture: Picture, list: List, never: Never };

/** @param {[name: keyof typeof PARTS, properties?: object][]} parts */
const app = (parts) => (
  <StrictMode>
    <GenerationsProvider generations={generations}>
      <Suspense fallback={<p>suspended</p>}>
        {parts.map(([name, properties], index) => {
          const Part = PARTS[name];
          return <Part key={properties?.key ?? index} {...properties} />;
        })}
      </Suspense>
    </GenerationsProvider>
  </StrictMode>
);

const container = document.getElementById('root');
globalThis.mismatches = [];
const onRecoverableError = (error) => globalThis.mismatches.push(String(error));
const root = container.hasChildNodes()
  ? hydrateRoot(container, app([['picture']]), { onRecoverableError })
  : createRoot(container);

globalThis.calls = calls;
globalThis.generations = generations;
globalThis.show = (...parts) => root.render(app(parts));
globalThis.showLater = (...parts) => startTransition(() => root.render(app(parts)));
globalThis.text = () =>
  [...container.querySelectorAll('p')].map((p) => p.textContent.trim().replace(/\s+/g, ' '));
globalThis.until = async (holds) => {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 10_000) throw new Error(`never; but ${globalThis.text()}, ${JSON.stringify(calls)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
/** Waits until the page shows these texts. */
globalThis.see = (...texts) => globalThis.until(() => globalThis.text().join() === texts.join());
/** Lets React and the store do what they have begun. */
globalThis.settle = () => new Promise((resolve) => setTimeout(() => setTimeout(resolve, 20), 20));
