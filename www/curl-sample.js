/** The same call for a shell: create, poll, print the answer. */

import { pathOf, serviceOf, variableOf, withoutFallback } from './sample-facts.js';

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {import('./code-samples.js').Call} call */
export function curl(call) {
  const { sources } = call;
  const request = withoutFallback(call.request);
  const key = `-H "Authorization: Bearer $${variableOf(call)}"`;
  const file = (/** @type {string} */ field, name = '') =>
    `-F ${quoted(`${field}=@"${name.replace(/["\\]/g, '\\$&')}"`)}`;
  const body = sources
    ? [
        // The texts of a form, which curl would otherwise search for files.
        ...Object.entries(request).map(
          ([name, value]) =>
            `--form-string ${quoted(`${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)}`,
        ),
        ...sources.pictures.map((name) => file('image', name)),
        ...(sources.mask ? [file('mask', sources.mask)] : []),
      ]
    : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(request, null, 2))}`];
  return `api=${serviceOf(call)}
answer=$(curl -sS --fail-with-body "$api${pathOf(call)}" \\
  ${[key, ...body].join(' \\\n  ')})

# A task is polled until its pictures are there.
poll=$(printf '%s' "$answer" | sed -n 's/.*"poll_url": *"\\([^"]*\\)".*/\\1/p')
while printf '%s' "$answer" | grep -Eq '"status": *"(pending|queued|processing|running)"'; do
  sleep 4
  answer=$(curl -sS "$api$poll" ${key})
done
printf '%s\\n' "$answer"
`;
}
