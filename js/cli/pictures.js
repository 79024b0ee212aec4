/** The commands that bring pictures: `generate`, `edit` and `wait`. */

import { access, constants, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { editAndWait, generateAndWait, toBlob, waitForTask } from 'lemondata-wasm';
import { typeOf } from '../testing/references.js';
import { fieldsOf, numberOf, UsageError } from './arguments.js';
import { connectionOf } from './connection.js';
import { exitCodeOf, GOES_ON, Interruption, resumeCommand, SaveError } from './exit.js';
import { Progress } from './progress.js';

/** @typedef {import('./run.js').Command} Command */
/** @typedef {Record<string, any>} Values */

/** Ctrl-C, and the end of a container, whose first process ignores each signal that it does not handle. */
const INTERRUPTS = ['SIGINT', 'SIGTERM'];

/** The ending of a file, by its type. @type {Record<string, string>} */
const EXTENSIONS = {
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/webp': '.webp',
  'image/gif': '.gif',
  'image/avif': '.avif',
};

const RESULT = /** @type {const} */ ({
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  'max-wait': { type: 'string' },
});
const REQUEST = /** @type {const} */ ({
  model: { type: 'string', short: 'm' },
  count: { type: 'string', short: 'n' },
  size: { type: 'string' },
  set: { type: 'string', multiple: true },
  ...RESULT,
});

const RESULT_USAGE = `  -o, --output <file>     saves the picture; several get numbers: lemon-1.png, lemon-2.png
  --json                  prints the answer, or the error, as JSON
  --max-wait <seconds>    the longest wait for a task, default 300; the task goes on after it`;
const REQUEST_USAGE = `  -m, --model <model>     required; "models" lists them
  -n, --count <number>    how many pictures
  --size <size>           such as 1024x1024
  --set <name=value>      any other field of a request, such as --set aspect_ratio=16:9; may be repeated
${RESULT_USAGE}`;

/** @type {Command} */
export const generate = {
  usage: `generate <prompt> -m <model> [-o <file>]\n\n${REQUEST_USAGE}`,
  options: REQUEST,
  positional: 'prompt',
  async run({ values, positional: prompt }) {
    const request = requestOf(prompt, values);
    await produce(values, (options) => generateAndWait(request, options));
  },
};

/** @type {Command} */
export const edit = {
  usage: `edit <prompt> -i <picture> -m <model> [-o <file>]

  -i, --image <picture>   a file or a URL; may be repeated
  --mask <picture>        a file or a URL: its transparent parts are edited
${REQUEST_USAGE}`,
  options: { image: { type: 'string', short: 'i', multiple: true }, mask: { type: 'string' }, ...REQUEST },
  positional: 'prompt',
  async run({ values, positional: prompt }) {
    const request = { ...requestOf(prompt, values), ...(await picturesOf(values)) };
    await produce(values, (options) => editAndWait(/** @type {any} */ (request), options));
  },
};

/** @type {Command} */
export const wait = {
  usage: `wait <task> [-o <file>]\n\n  <task>                  its id, the task as JSON, or what --json has printed\n${RESULT_USAGE}`,
  options: RESULT,
  positional: 'task',
  async run({ values, positional }) {
    const task = taskOf(positional);
    await produce(values, (options) => waitForTask(task, options), 'waiting');
  },
};

/**
 * @param {string} prompt
 * @param {Values} values
 */
function requestOf(prompt, values) {
  const { model, size } = values;
  if (!model) {
    throw new UsageError(
      'Which model? Pass one, such as -m gpt-image-2. "npx lemondata-wasm models" lists them.',
    );
  }
  const n = numberOf(values, 'count', 1, 10);
  return { model, prompt, ...(n && { n }), ...(size && { size }), ...fieldsOf(values.set) };
}

const isUrl = (/** @type {string} */ text) => /^(https?|data):/i.test(text);

/**
 * The pictures of an edit: URLs as JSON has them, files as a form has them.
 *
 * @param {Values} values
 */
async function picturesOf({ image: images = [], mask }) {
  if (images.length === 0) {
    throw new UsageError('Which picture? Pass a file or a URL, such as -i lemon.png.');
  }
  const all = mask === undefined ? images : [...images, mask];
  if (all.every(isUrl)) {
    const urls = images.length > 1 ? { image_urls: images } : { image_url: images[0] };
    return { ...urls, ...(mask !== undefined && { mask: { image_url: mask } }) };
  }
  const url = all.find(isUrl);
  if (url !== undefined) {
    throw new UsageError(`An edit takes files or URLs, not both. Download ${url} first.`);
  }
  return {
    image: await Promise.all(images.map(blobOf)),
    ...(mask !== undefined && { mask: await blobOf(mask) }),
  };
}

/** @param {string} path */
async function blobOf(path) {
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const reason = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new UsageError(`The picture '${path}' cannot be read: ${reason}.`);
  }
  const type = typeOf(bytes);
  if (!type) throw new UsageError(`'${path}' is no PNG, JPEG or WebP, which an edit takes.`);
  return new File([bytes], basename(path), { type });
}

/** @param {string} text */
function taskOf(text) {
  // A text in quotes is what many a tool prints of JSON.
  if (!/^\s*[{"]/.test(text)) return text.trim();
  try {
    const task = JSON.parse(text);
    return task.error?.task ?? task;
  } catch {
    throw new UsageError(`The task must be an id, or JSON with a task_id, not '${text}'.`);
  }
}

/**
 * Makes a call, shows how far it is, and saves or prints what it brings.
 *
 * @param {Values} values
 * @param {(options: import('lemondata-wasm').Options) => Promise<import('lemondata-wasm').CompletedGeneration>} call
 * @param {string} [state] what is shown first
 */
async function produce(values, call, state = 'sending') {
  const { output, json } = values;
  const maxWait = numberOf(values, 'max-wait', 1, 86_400);
  const connection = connectionOf(process.env);
  if (output !== undefined) await checkOutput(output);
  const progress = new Progress(process.stderr);
  const stopping = new AbortController();
  const interrupt = () => stopping.abort();
  for (const name of INTERRUPTS) process.once(name, interrupt);
  /** @type {import('lemondata-wasm').Task | undefined} */
  let task;
  try {
    progress.show(state);
    const result = await call({
      ...connection,
      ...(maxWait && { maxWait: maxWait * 1000 }),
      signal: stopping.signal,
      onTask(newTask) {
        task = newTask;
        progress.show(`task ${newTask.task_id}`);
      },
      onUpdate(update) {
        const share = 'progress' in update ? ` ${update.progress} %` : '';
        progress.show(`${update.status}${share}`);
      },
    });
    progress.end();
    await deliver(result, { output, json });
  } catch (error) {
    progress.end();
    const lastTask = error.task ?? task;
    const goesOn = lastTask && (stopping.signal.aborted || exitCodeOf(error) === GOES_ON);
    const resume = goesOn ? resumeCommand(lastTask, output) : undefined;
    if (!stopping.signal.aborted) throw Object.assign(error, { resume });
    const message = goesOn ? 'Stopped.' : 'Stopped before the answer. A create that was sent may be billed.';
    throw Object.assign(new Interruption(message), { resume });
  } finally {
    for (const name of INTERRUPTS) process.removeListener(name, interrupt);
  }
}

/** Looks before a create is paid for whether its picture can be saved. @param {string} output */
async function checkOutput(output) {
  if (!output) throw new UsageError('--output is empty. Name a file: -o lemon.png');
  if (output === '-') {
    throw new UsageError('A picture goes to a file, not to standard output. Name one: -o lemon.png');
  }
  const folder = dirname(output);
  try {
    await access(folder, constants.W_OK);
  } catch {
    throw new UsageError(`Nothing can be saved in '${folder}': it is missing, or not yours to write in.`);
  }
  const existing = await stat(output).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UsageError(`Nothing can be saved there: ${error.message}.`);
  });
  if (existing?.isDirectory() || /[\\/]$/.test(output)) {
    throw new UsageError(`'${output}' is a folder. Name a file in it: -o ${join(output, 'lemon.png')}`);
  }
  if (existing) {
    await access(output, constants.W_OK).catch(() => {
      throw new UsageError(`'${output}' is there already, and not yours to write.`);
    });
  }
}

/**
 * @param {import('lemondata-wasm').CompletedGeneration} result
 * @param {{ output?: string, json?: boolean }} options
 */
async function deliver(result, { output, json }) {
  const images = result.data ?? [];
  // A picture that is in the answer itself has no address to print.
  const isInline = images.some(({ b64_json }) => b64_json);
  const files = output !== undefined || (isInline && !json) ? await save(result, output) : [];
  if (json) {
    const data = images.map(({ b64_json, ...image }) =>
      files.length > 0 || !b64_json ? image : { ...image, b64_json },
    );
    await print(JSON.stringify({ ...result, data, ...(files.length > 0 && { files }) }));
    return;
  }
  const lines = files.length > 0 ? files : images.filter((image) => !isMissing(image)).map(({ url }) => url);
  await print(lines.length > 0 ? lines.join('\n') : JSON.stringify(result));
}

/** Prints what has been paid for, also where standard output is a file on a disk that is full. @param {string} text */
async function print(text) {
  // Deno throws where others call back.
  const writing = new Promise((resolve) => process.stdout.write(`${text}\n`, resolve));
  /** @type {NodeJS.ErrnoException | null | undefined} */
  const error = await writing.catch((thrown) => thrown);
  // A reader that leaves has seen enough.
  if (!/^(ENOSPC|EDQUOT|EFBIG|EIO)$/.test(`${error?.code}`)) return;
  console.error(text);
  throw new SaveError(
    `The picture is made, but standard output cannot be written: ${error?.message}. The answer is above.`,
  );
}

/** One of several pictures may have been filtered. The others are there. @param {any} image */
function isMissing({ error }) {
  if (error) console.error(`One of the images failed: ${error.message ?? error}`);
  return Boolean(error);
}

/** Whether a file has the ending of another format, by which programs judge. @param {string} ending @param {string} [own] */
function isOtherType(ending, own) {
  const known = ending.toLowerCase().replace('.jpeg', '.jpg');
  return own && known !== own && Object.values(EXTENSIONS).includes(known);
}

/**
 * @param {import('lemondata-wasm').CompletedGeneration} result
 * @param {string} [output] missing: a name that tells the type
 * @returns {Promise<string[]>} the files
 */
async function save(result, output) {
  const images = result.data ?? [];
  const name = output ?? `lemondata-${Date.now()}`;
  const start = name.slice(0, name.length - extname(name).length);
  /** @type {string[]} */
  const saved = [];
  try {
    for (const [index, image] of images.entries()) {
      if (isMissing(image)) continue;
      const blob = await toBlob(image);
      const own = EXTENSIONS[blob.type];
      const extension = output === undefined ? (own ?? '.png') : extname(output);
      const file = `${start}${images.length > 1 ? `-${index + 1}` : ''}${extension}`;
      await writeFile(file, Buffer.from(await blob.arrayBuffer()));
      if (isOtherType(extension, own))
        console.error(`${file} is a picture in the format of ${own}, not of ${extension}.`);
      saved.push(file);
    }
  } catch (error) {
    // It is paid for, so it must not be lost.
    console.log(JSON.stringify(result));
    throw new SaveError(
      `The picture is made, but it could not be saved: ${error.message} The answer is above.`,
    );
  }
  return saved;
}
