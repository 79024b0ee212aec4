/** The page: sends what the form holds, shows how it stands, and then the picture or what went wrong. */

import { LemonData, toBlob } from '/pkg/index.js';

// No key: the relay that this path leads to adds it.
const client = new LemonData({ baseUrl: '/api/lemondata', relay: true });

/** The longest gap between two checks, as the package draws them. */
const LONGEST_GAP_MS = 5000;

/** What an outcome means to the person who waits, and what to do next. */
const OUTCOMES = {
  not_sent: ['Not sent', 'Nothing is billed. Change the request and generate again.'],
  rejected: ['Refused', 'Nothing is billed. Change the request, or generate again later.'],
  accepted: ['The wait has ended', 'The task may still complete: wait for it again.'],
  failed: ['The task has failed', 'Change the prompt or the model, and generate again.'],
  unknown: ['Not known how it went', 'It may be billed: look at the account before you generate again.'],
};

const $ = (id) => document.getElementById(id);
const form = $('form');
const pictures = $('pictures');
const problem = $('problem');
const emptyFrame = pictures.firstElementChild;

/** The generation that is under way. */
let job;
/** The object URLs of the pictures that are shown. */
let blobUrls = [];

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (job) return;
  const request = Object.fromEntries(new FormData(form));
  run(request, (options) => client.generateAndWait(request, options));
});

form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

form.elements.size.addEventListener('change', () => {
  if (!job && pictures.contains(emptyFrame)) reserve(form.elements.size.value);
});

$('stop').addEventListener('click', () => job?.controller.abort());

/**
 * Follows one generation from here to its end.
 *
 * @param {{ prompt: string, model: string, size: string }} request
 * @param {(options: object) => Promise<object>} start
 * @param {object} [task] what it waits for, where that is known already
 */
async function run(request, start, task) {
  const controller = new AbortController();
  const { signal } = controller;
  const current = {
    controller,
    task,
    startedAt: performance.now(),
    checkedAt: undefined,
    trouble: undefined,
  };
  job = current;
  begin(request, task ? 'Waiting again' : 'Sent');
  const ticker = setInterval(tick, 250);
  try {
    const generation = await start({
      signal,
      onTask(reference) {
        current.task = reference;
        current.checkedAt = performance.now();
        say('Accepted as a task');
      },
      onUpdate({ status, progress }) {
        current.checkedAt = performance.now();
        current.progress = progress;
        if (status === 'pending') say('Pending');
        if (status === 'processing') say('Processing');
      },
      onResponse({ status }) {
        current.trouble = status >= 400 ? status : undefined;
        tick();
      },
    });
    const figures = await figuresOf(generation, request);
    finish('done', 'Done');
    if (figures.length > 0) pictures.replaceChildren(...figures);
    else showProblem({ said: 'The task has completed, but its result is not a picture.' });
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      finish('stopped', 'Stopped waiting');
      showStopped(request, current.task);
    } else {
      finish('failed', OUTCOMES[error.outcome]?.[0] ?? 'This page has failed');
      showError(error, request);
      if (!error.kind) throw error;
    }
  } finally {
    clearInterval(ticker);
  }
}

/** Makes room for what is to come. */
function begin(request, state) {
  for (const url of blobUrls) URL.revokeObjectURL(url);
  blobUrls = [];
  problem.hidden = true;
  problem.replaceChildren();
  pictures.hidden = false;
  pictures.replaceChildren(emptyFrame);
  pictures.setAttribute('aria-busy', 'true');
  reserve(request.size);
  $('status').dataset.state = 'busy';
  $('generate').setAttribute('aria-disabled', 'true');
  $('stop').hidden = false;
  $('progress').hidden = false;
  say(state);
}

function finish(state, text) {
  const elapsed = seconds(performance.now() - job.startedAt);
  const stopHadFocus = document.activeElement === $('stop');
  job = undefined;
  pictures.removeAttribute('aria-busy');
  $('status').dataset.state = state;
  $('generate').removeAttribute('aria-disabled');
  $('stop').hidden = true;
  $('progress').hidden = true;
  $('state').textContent = text;
  $('detail').textContent = `After ${elapsed === '0 s' ? 'less than a second' : elapsed}`;
  // A hidden button would take the focus with it.
  if (stopHadFocus) $('generate').focus();
}

/** Announces a new state: the one part of the display that a screen reader reads out by itself. */
function say(state) {
  if ($('state').textContent !== state) $('state').textContent = state;
  tick();
}

/** Shows what changes by the second. */
function tick() {
  if (!job) return;
  const { task, startedAt, checkedAt, progress, trouble } = job;
  const now = performance.now();
  const parts = [seconds(now - startedAt)];
  if (progress !== undefined) parts.unshift(`${progress} %`);
  if (trouble) parts.push(`status ${trouble}, trying again`);
  else if (!task) parts.push('waiting for the answer');
  else parts.push(nextCheck(now - checkedAt));
  $('detail').textContent = parts.join(' · ');
  if (progress === undefined) $('progress').removeAttribute('value');
  else $('progress').value = progress;
}

/** @param {number} since milliseconds since the last check; not a number before the first */
function nextCheck(since) {
  const left = Math.ceil((LONGEST_GAP_MS - since) / 1000);
  return left > 0 ? `next check within ${left} s` : 'checking';
}

/** Keeps the room of a picture of this size, so that nothing moves when it arrives. */
function reserve(size) {
  const [width, height] = size.split('x');
  pictures.style.setProperty('--width', width);
  pictures.style.setProperty('--height', height);
}

function figuresOf({ data = [] }, request) {
  return Promise.all(data.map((image, index) => figureOf(image, index, data.length, request)));
}

async function figureOf(image, index, count, { prompt, size }) {
  const figure = $('picture-template').content.cloneNode(true).firstElementChild;
  const [frame, img, caption] = ['.frame', 'img', 'span'].map((selector) => figure.querySelector(selector));
  const link = document.createElement('a');
  let { url } = image;
  if (image.b64_json) {
    url = URL.createObjectURL(await toBlob(image));
    blobUrls.push(url);
    link.textContent = 'Download';
  } else {
    // From another origin a browser shows a picture rather than saving it: not in place of this page.
    link.textContent = 'Open full size';
    link.target = '_blank';
    link.rel = 'noopener';
  }
  [img.width, img.height] = size.split('x');
  img.alt = count > 1 ? `${prompt} (${index + 1} of ${count})` : prompt;
  img.addEventListener('load', () => frame.classList.add('loaded'));
  img.addEventListener('error', () => {
    frame.classList.add('broken');
    caption.textContent = 'The picture could not be loaded here.';
  });
  img.src = url;
  // An answer may say anything: a link leads to a picture, and never to a script.
  if (/^(https?|blob):/i.test(img.src)) {
    link.href = img.src;
    link.download = `picture-${index + 1}`;
    caption.after(link);
  }
  if (image.revised_prompt && image.revised_prompt !== prompt) caption.textContent = image.revised_prompt;
  return figure;
}

function showStopped(request, task) {
  const said = task
    ? 'The task goes on at LemonData, and it may be billed.'
    : 'The request had been sent: it may be carried out and billed all the same.';
  showProblem({ calm: true, said, request, task, facts: { task: task?.task_id } });
}

function showError(error, request) {
  const { message, hint, kind, outcome, status, code, param, requestId, retryAfterMs, task } = error;
  // The message ends with the hint, which has a line of its own here.
  const said = hint && message.endsWith(hint) ? message.slice(0, -hint.length) : message;
  let next = OUTCOMES[outcome]?.[1];
  if (outcome === 'rejected' && retryAfterMs > 0) next = `Generate again in ${seconds(retryAfterMs)}.`;
  showProblem({
    said,
    hint,
    next,
    request,
    // A task that has failed will not come back.
    task: outcome === 'failed' ? undefined : task,
    facts: { kind, outcome, status, code, param, task: task?.task_id, request: requestId },
  });
}

/** Shows what went wrong, in place of the pictures. */
function showProblem({ calm = false, said, hint = '', next = '', request, task, facts = {} }) {
  const content = $('problem-template').content.cloneNode(true);
  const part = (selector) => content.querySelector(selector);
  part('.said').textContent = said;
  part('.hint').textContent = hint;
  part('.next').textContent = next;
  const again = part('button');
  if (task) again.addEventListener('click', () => waitAgain(request, task));
  else again.remove();
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    const row = document.createElement('div');
    for (const [tag, text] of [
      ['dt', name],
      ['dd', value],
    ]) {
      row.append(Object.assign(document.createElement(tag), { textContent: text }));
    }
    part('dl').append(row);
  }
  problem.classList.toggle('calm', calm);
  problem.hidden = false;
  problem.replaceChildren(content);
  pictures.hidden = true;
}

function waitAgain(request, task) {
  // Before the button goes.
  $('generate').focus();
  run(request, (options) => client.waitForTask(task, options), task);
}

/** @param {number} ms */
function seconds(ms) {
  const whole = Math.round(ms / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
