/** The JavaScript of a generation: for a page, a worker and Node. */

/**
 * The call to write down.
 *
 * @typedef {object} Call
 * @property {import('./race-request.js').Request} request
 * @property {import('./sources.js').SourceNames} [sources] its reference pictures
 * @property {string} [baseUrl] the service, where it is not the default one
 */

export const SAMPLES = {
  browser: {
    label: 'Browser',
    note: 'Calls the relay on your own server, which holds the key.',
    write: browser,
  },
  worker: { label: 'Worker', note: 'The key is a secret of the worker.', write: worker },
  node: { label: 'Node', note: 'Save it as picture.mjs. The key is in the environment.', write: node },
};

/** An expression that stands in the code as it is. */
class Code {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** @type {Record<string, string>} */
const TYPES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp' };

/** @param {Call} call */
const functionOf = ({ sources }) => (sources?.action === 'edit' ? 'editAndWait' : 'generateAndWait');

/**
 * The request with the pictures that it needs.
 *
 * @param {Call} call
 * @param {{ one: string, all: string, mask: string }} expressions
 */
function bodyOf({ request: { fallback: _, ...request }, sources }, { one, all, mask }) {
  if (!sources) return request;
  const image = new Code(sources.action === 'edit' ? all : one);
  return { ...request, image, ...(sources.mask && { mask: new Code(mask) }) };
}

/** @param {Call} call */
const variableOf = ({ baseUrl }) =>
  baseUrl?.includes('tokenlab') ? 'TOKENLAB_API_KEY' : 'LEMONDATA_API_KEY';

/** @param {Call} call */
const addressOf = ({ baseUrl }) => (baseUrl ? `, baseUrl: ${quoted(baseUrl)}` : '');

/** @param {Call} call */
const fallbackOf = ({ request: { fallback } }) => (fallback ? `, fallback: ${literal(fallback)}` : '');

/** @param {Call} call */
function browser(call) {
  const isInline = call.request.response_format === 'b64_json';
  const source = isInline ? 'URL.createObjectURL(await toBlob(image))' : 'image.url';
  const name = functionOf(call);
  const files = "document.querySelector('#pictures').files";
  const mask = "document.querySelector('#mask').files[0]";
  const body = bodyOf(call, { one: `${files}[0]`, all: `[...${files}]`, mask });
  return `import { ${isInline ? `${name}, toBlob` : name} } from 'lemondata-wasm';

const { data } = await ${name}(
  ${literal(body, 2)},
  { baseUrl: '/api/lemondata', relay: true${fallbackOf(call)} },
);
for (const image of data) {
  const picture = new Image();
  picture.src = ${source};
  document.body.append(picture);
}
`;
}

/** @param {Call} call */
function worker(call) {
  const name = functionOf(call);
  const body = bodyOf(call, {
    one: "form.get('image')",
    all: "form.getAll('image')",
    mask: "form.get('mask')",
  });
  const [request, form] = call.sources
    ? ['request', '\n    const form = await request.formData();']
    : ['_request', ''];
  return `import { ${name}, toBlob } from 'lemondata-wasm';

export default {
  async fetch(${request}, env) {
    // Anyone who can call this worker spends your balance: authenticate the caller here.${form}
    const { data } = await ${name}(
      ${literal(body, 6)},
      { apiKey: env.${variableOf(call)}${addressOf(call)}${fallbackOf(call)}, maxPolls: 40 },
    );
    return new Response(await toBlob(data[0]));
  },
};
`;
}

/** @param {Call} call */
function node(call) {
  const name = functionOf(call);
  const { sources } = call;
  /** @param {string} [file] */
  const open = (file = '') => {
    const type = TYPES[file.split('.').at(-1)?.toLowerCase() ?? ''];
    return `await openAsBlob(${quoted(file)}${type ? `, { type: '${type}' }` : ''})`;
  };
  const pictures = (sources?.pictures ?? []).map(open);
  const body = bodyOf(call, {
    one: pictures[0],
    all: `[${pictures.map((picture) => `\n    ${picture},`).join('')}\n  ]`,
    mask: open(sources?.mask),
  });
  return `${sources ? "import { openAsBlob } from 'node:fs';\n" : ''}import { writeFile } from 'node:fs/promises';
import { ${name}, toBlob } from 'lemondata-wasm';

const { data } = await ${name}(
  ${literal(body, 2)},
  { apiKey: process.env.${variableOf(call)}${addressOf(call)}${fallbackOf(call)} },
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
  if (value instanceof Code) return value.text;
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

/** @param {string} text */
const quoted = (text) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** @param {string} name */
function key(name) {
  // Without brackets, it would set the prototype.
  if (name === '__proto__') return `['${name}']`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}
