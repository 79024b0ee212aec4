/** The code of a generation, for each place where it can run. */

import { curl } from './curl-sample.js';
import { python } from './python-sample.js';
import { variableOf, withoutFallback } from './sample-facts.js';

/**
 * The call to write down.
 *
 * @typedef {object} Call
 * @property {import('./race-request.js').Request} request
 * @property {import('./sources.js').SourceNames} [sources] its reference pictures
 * @property {string} [baseUrl] the service, where it is not the default one
 */

/**
 * @typedef {object} Sample
 * @property {string} label
 * @property {string} note
 * @property {string} [install] the command that brings what it needs
 * @property {(call: Call) => string} write
 */

const INSTALL = 'npm install lemondata-wasm';

/** @type {Record<'browser' | 'worker' | 'node' | 'react' | 'ai' | 'curl' | 'python', Sample>} */
export const SAMPLES = {
  browser: {
    label: 'Browser',
    note: 'Calls the relay on your own server, which holds the key.',
    install: INSTALL,
    write: browser,
  },
  worker: { label: 'Worker', note: 'The key is a secret of the worker.', install: INSTALL, write: worker },
  node: {
    label: 'Node',
    note: 'Save it as picture.mjs. The key is in the environment.',
    install: INSTALL,
    write: node,
  },
  react: {
    label: 'React',
    note: 'Calls the relay on your own server, which holds the key. A reload goes on waiting.',
    install: INSTALL,
    write: react,
  },
  ai: {
    label: 'AI SDK',
    note: 'Save it as picture.mjs. The key is in the environment.',
    install: `${INSTALL} ai`,
    write: aiSdk,
  },
  curl: { label: 'curl', note: 'Save it as picture.sh. The key is in the environment.', write: curl },
  python: {
    label: 'Python',
    note: 'Save it as picture.py: it needs the standard library alone. The key is in the environment.',
    write: python,
  },
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
function bodyOf({ request: whole, sources }, { one, all, mask }) {
  const request = withoutFallback(whole);
  if (!sources) return request;
  const image = new Code(sources.action === 'edit' ? all : one);
  return { ...request, image, ...(sources.mask && { mask: new Code(mask) }) };
}

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

/** @param {Call} call */
function react(call) {
  const { request, sources } = call;
  const show = `  const { phase, progress, images, error } = generation;
  if (phase === 'failed') return <p role="alert">{error.message}</p>;
  if (phase !== 'done') return <progress value={progress} max={100} />;
  return images.map(({ url, b64_json }, index) => (
    <img key={index} src={url ?? \`data:image/png;base64,\${b64_json}\`} alt={generation.request.prompt} />
  ));
}`;
  const hook = sources ? 'useGenerations' : 'useGeneration';
  const start = `import { LemonData } from 'lemondata-wasm';
import { createGenerations } from 'lemondata-wasm/generations';
import { GenerationsProvider, ${hook} } from 'lemondata-wasm/react';

const client = new LemonData({ baseUrl: '/api/lemondata', relay: true${fallbackOf(call)} });
const generations = createGenerations({ client });

export function App() {
  return (
    <GenerationsProvider generations={generations}>
      <Pictures />
    </GenerationsProvider>
  );
}
`;
  if (!sources) {
    return `${start}
const request = ${literal(withoutFallback(request))};

function Pictures() {
  const generation = useGeneration(request);
  if (!generation) return null;
${show}
`;
  }
  const body = bodyOf(call, {
    one: "form.get('image')",
    all: "form.getAll('image')",
    mask: "form.get('mask')",
  });
  const isEdit = sources.action === 'edit';
  const mask = sources.mask ? '\n      <input type="file" name="mask" accept="image/png" required />' : '';
  return `${start}
function Pictures() {
  const { generations, start } = useGenerations();
  const draw = (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    start(${literal(body, 4)}${isEdit ? ', { edit: true }' : ''});
  };
  return (
    <form onSubmit={draw}>
      <input type="file" name="image" accept="image/*"${isEdit ? ' multiple' : ''} required />${mask}
      <button>Draw</button>
      {generations.map((generation) => (
        <Picture key={generation.id} generation={generation} />
      ))}
    </form>
  );
}

function Picture({ generation }) {
${show}
`;
}

/** @param {Call} call */
function aiSdk(call) {
  const { sources } = call;
  const { model, prompt, n, size, aspect_ratio, seed, ...rest } = call.request;
  // What the SDK has no argument for, the provider takes by its own name.
  const isSize = /^\d+x\d+$/.test(size ?? '');
  const isRatio = /^\d+:\d+$/.test(aspect_ratio ?? '');
  const fields = {
    ...(size && !isSize && { size }),
    ...(aspect_ratio && !isRatio && { aspect_ratio }),
    ...rest,
  };
  const read = (file = '') => new Code(`await readFile(${quoted(file)})`);
  const argument = {
    model: new Code(`lemonData.image(${quoted(model ?? '')})`),
    prompt: sources
      ? {
          text: prompt,
          images: new Code(`[${sources.pictures.map((file) => read(file).text).join(', ')}]`),
          ...(sources.mask && { mask: read(sources.mask) }),
        }
      : prompt,
    ...(n && { n }),
    ...(isSize && { size }),
    ...(isRatio && { aspectRatio: aspect_ratio }),
    ...(seed !== undefined && { seed }),
    ...(Object.keys(fields).length > 0 && { providerOptions: { lemondata: fields } }),
  };
  return `import { ${sources ? 'readFile, ' : ''}writeFile } from 'node:fs/promises';
import { generateImage } from 'ai';
import { createLemonData } from 'lemondata-wasm/ai-sdk';

const lemonData = createLemonData({ apiKey: process.env.${variableOf(call)}${addressOf(call)} });

const { images } = await generateImage(${literal(argument)});
for (const [index, { uint8Array }] of images.entries()) {
  await writeFile(\`picture-\${index + 1}.png\`, uint8Array);
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
