/** The JavaScript of a generation: for a page, a worker and Node. */

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */

export const SAMPLES = {
  browser: {
    label: 'Browser',
    note: 'Calls the relay on your own server, which holds the key.',
    write: browser,
  },
  worker: { label: 'Worker', note: 'The key is a secret of the worker: LEMONDATA_API_KEY.', write: worker },
  node: { label: 'Node', note: 'Save it as picture.mjs. The key is in the environment.', write: node },
};

/** @param {ImageRequest} request */
function browser(request) {
  const isInline = request.response_format === 'b64_json';
  const source = isInline ? 'URL.createObjectURL(await toBlob(image))' : 'image.url';
  return `import { ${isInline ? 'generateAndWait, toBlob' : 'generateAndWait'} } from 'lemondata-wasm';

const { data } = await generateAndWait(
  ${literal(request, 2)},
  { baseUrl: '/api/lemondata', relay: true },
);
for (const image of data) {
  const picture = new Image();
  picture.src = ${source};
  document.body.append(picture);
}
`;
}

/** @param {ImageRequest} request */
function worker(request) {
  return `import { generateAndWait, toBlob } from 'lemondata-wasm';

export default {
  async fetch(_request, env) {
    // Anyone who can call this worker spends your balance: authenticate the caller here.
    const { data } = await generateAndWait(
      ${literal(request, 6)},
      { apiKey: env.LEMONDATA_API_KEY, maxPolls: 40 },
    );
    return new Response(await toBlob(data[0]));
  },
};
`;
}

/** @param {ImageRequest} request */
function node(request) {
  return `import { writeFile } from 'node:fs/promises';
import { generateAndWait, toBlob } from 'lemondata-wasm';

const { data } = await generateAndWait(
  ${literal(request, 2)},
  { apiKey: process.env.LEMONDATA_API_KEY },
);
for (const [index, image] of data.entries()) {
  const picture = await toBlob(image);
  await writeFile(\`picture-\${index + 1}.png\`, new Uint8Array(await picture.arrayBuffer()));
}
`;
}

/**
 * A JSON value as a person writes it in JavaScript.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function literal(value, indent = 0) {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return `${value}`;
  const inner = ' '.repeat(indent + 2);
  const end = `\n${' '.repeat(indent)}`;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) {
      return `[${value.map((item) => literal(item)).join(', ')}]`;
    }
    return `[${value.map((item) => `\n${inner}${literal(item, indent + 2)},`).join('')}${end}]`;
  }
  const fields = Object.entries(value).map(
    ([name, item]) => `\n${inner}${key(name)}: ${literal(item, indent + 2)},`,
  );
  return fields.length > 0 ? `{${fields.join('')}${end}}` : '{}';
}

const quoted = (text) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

function key(name) {
  // Without brackets, it would set the prototype.
  if (name === '__proto__') return `['${name}']`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}
