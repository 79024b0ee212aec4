/** A generation as a card: its pictures or its progress, then its state in words, its facts and its buttons. */

import { html, nothing } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { ifDefined } from 'lit-html/directives/if-defined.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { isEmbedded } from './config.js';
import { confirmCreates } from './confirm.js';
import { connection } from './connection.js';
import { download } from './export.js';
import { fallbackNote } from './fallback.js';
import { dismiss, fetchAgain, resume, startLike, stop, tryAgain } from './generation-list.js';
import { icon } from './icon.js';
import { showExchange } from './on-demand.js';
import { addressOf, change, storeFromMemory, urlOf } from './pictures.js';
import { ring } from './ring.js';
import { shapeOf } from './settings.js';
import { isInMemory } from './store.js';
import { toast } from './toast.js';
import { countdown, duration, explain, meta } from './words.js';

/**
 * Callbacks of a card's buttons.
 *
 * @typedef {object} CardCallbacks
 * @property {(picture: import('./pictures.js').Picture) => void} onOpen
 * @property {(request: import('lemondata-wasm').ImageRequest, origin: import('./source-fields.js').Origin) => void} onReuse
 *   gets what has the reference pictures of the request
 * @property {(request: import('lemondata-wasm').ImageRequest) => void} onVary gets the request that is sent
 * @property {(request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames) => void} onCode
 */

/** @typedef {import('./generation.js').Generation} Generation */
/** @typedef {import('./generation.js').Tile} Tile */

/** A taller picture stands in a box of this shape. */
const TALLEST = 4 / 5;
/** A prompt of more characters is folded. */
const LONG = 280;
const LINES = 4;
const SEEDS = 2 ** 32;

/**
 * @param {Generation} generation
 * @param {number} now
 * @param {CardCallbacks} callbacks
 */
export function card(generation, now, callbacks) {
  const { id, phase, request, isRunning, tiles } = generation;
  const hasMedia = tiles.length > 0 || (isRunning && phase !== 'held');
  return html`<article class="card" data-id=${id} data-phase=${phase} aria-labelledby=${`prompt-${id}`}>
    ${hasMedia ? media(generation, now, callbacks) : nothing}
    <div class="summary">
      <div class="headline">
        <p class="state">${state(generation, now)}</p>
        ${generation.cost ? html`<p class="cost">${generation.cost}</p>` : nothing}
        ${
          isRunning
            ? nothing
            : html`<button class="quiet tool" type="button" aria-label="Dismiss" title="Dismiss"
                @click=${() => dismiss(generation)}>${icon('close')}</button>`
        }
      </div>
      ${prompt(generation)}
      <p class="meta">${meta(request, generation.sources)}</p>
      ${fallbackNote(generation)}
      ${message(generation)}
      ${folds(generation, now)}
      <div class="actions">${buttons(generation, callbacks)}</div>
    </div>
  </article>`;
}

/**
 * The prompt of the person. A long one is folded.
 *
 * @param {{ id: string, request: import('lemondata-wasm').ImageRequest }} shown
 */
export function prompt({ id, request }) {
  const text = request.prompt;
  const title = html`<h3 id=${`prompt-${id}`} dir="auto">${text}</h3>`;
  const isLong = text.length > LONG || text.split('\n').length > LINES;
  return html`<div class="prompt">${isLong ? html`<details><summary>${title}</summary></details>` : title}</div>`;
}

/**
 * The box of the pictures. It has their shape from the start, so that nothing moves when they come.
 *
 * @param {Generation} generation
 * @param {number} now
 * @param {CardCallbacks} callbacks
 */
function media(generation, now, callbacks) {
  const { tiles, pictures, request } = generation;
  const count = tiles.length || request.n || 1;
  const columns = count > 4 ? 3 : count > 1 ? 2 : 1;
  const { width, height } = sizeOf(generation);
  const ratio = (width * columns) / (height * Math.ceil(count / columns));
  const isBare = tiles.length > 0 && pictures.length === 0;
  const style = isBare ? '' : `aspect-ratio: ${Math.max(ratio, TALLEST)}; --columns: ${columns}`;
  const content =
    tiles.length > 0
      ? repeat(
          tiles,
          ({ index }) => index,
          (tile) => tileOf(generation, tile, callbacks),
        )
      : html`${ring(generation, now)}${log(generation)}`;
  const kind = isBare ? 'bare' : columns > 1 && tiles.length > 0 ? 'many' : '';
  return html`<div class="media ${kind}" .style=${style}>${content}</div>`;
}

/**
 * The size of the first picture that is known, or else the probable one.
 *
 * @param {Generation} generation
 * @returns {{ width: number, height: number }}
 */
function sizeOf({ pictures, request }) {
  const { width, height } = pictures.find((picture) => picture.width) ?? {};
  return width && height ? { width, height } : shapeOf(request);
}

/**
 * @param {Generation} generation
 * @param {Tile} tile
 * @param {CardCallbacks} callbacks
 */
function tileOf(generation, { index, image, picture, isDeleted }, callbacks) {
  if (!picture) {
    const error = /** @type {any} */ (image).error;
    const text = isDeleted
      ? 'This picture has been deleted'
      : error
        ? `${error.message ?? error}`
        : addressOf(image.url)
          ? 'This file cannot be loaded'
          : 'Not a picture that can be shown';
    return html`<p class="placeholder">${icon('problem')}<span>${text}</span></p>`;
  }
  const isOne = picture.count === 1;
  return html`<div class="tile">
    ${guard([picture], () => thumbnail(generation, picture, callbacks))}
    ${isOne ? nothing : html`<div class="tools">${tools(generation, picture, callbacks, index + 1)}</div>`}
  </div>`;
}

/**
 * @param {Generation} generation
 * @param {import('./pictures.js').Picture} picture
 * @param {CardCallbacks} callbacks
 */
function thumbnail(generation, picture, { onOpen }) {
  const { request, index, count, width, height, url } = picture;
  if (!width && !url) return html`<p class="placeholder">Not a picture that can be shown</p>`;
  const name = count > 1 ? `${request.prompt} (${index + 1} of ${count})` : request.prompt;
  return html`<button class="picture" type="button" @click=${() => onOpen(picture)}>
    <img src=${until(urlOf(picture), nothing)} alt=${name} width=${ifDefined(width)} height=${ifDefined(height)}
      @error=${() => generation.reportBroken(picture)}>
  </button>`;
}

/**
 * What one can do with one picture.
 *
 * @param {Generation} generation
 * @param {import('./pictures.js').Picture} picture
 * @param {CardCallbacks} callbacks
 * @param {number} [number] among several
 */
function tools(generation, picture, { onVary, onReuse }, number) {
  const named = (/** @type {string} */ name) => (number ? `${name} picture ${number}` : name);
  const vary = async () => {
    const seed = Math.floor(Math.random() * SEEDS);
    const request = { ...generation.request, seed };
    if (!(await confirmCreates([request]))) return;
    onVary(request);
    startLike(generation, { seed }).catch(() => onReuse(request, generation));
  };
  const save = () => download(picture).catch(({ message }) => toast(message));
  const star = () => change([picture], { favourite: !picture.favourite });
  return html`
    <button class="tool star" type="button" aria-label=${named('Favourite')} title="Favourite"
      aria-pressed=${`${Boolean(picture.favourite)}`} @click=${star}>${icon('star')}</button>
    ${
      picture.bytes
        ? html`<button class="tool" type="button" aria-label=${named('Download')} title="Download"
            @click=${save}>${icon('download')}</button>`
        : nothing
    }
    <button class="tool" type="button" data-once aria-label=${named('Vary')} title="Vary: the same settings, another seed"
      @click=${vary}>${icon('dice')}</button>`;
}

/**
 * The state in words.
 *
 * @param {Generation} generation
 * @param {number} now
 */
function state(generation, now) {
  const { phase, timeline, account, error, missing, tiles } = generation;
  const time = html`<span class="elapsed">${duration(generation.elapsed(now))}</span>`;
  if (phase === 'held') return 'Waiting for the connection';
  if (phase === 'done') {
    if (missing.length === tiles.length) return 'The picture’s file cannot be loaded';
    const total = html`<span class="elapsed">${totalTime(generation.elapsed(now))}</span>`;
    return missing.length > 0
      ? html`${missing.length} of ${tiles.length} files cannot be loaded ${total}`
      : html`Done ${total}`;
  }
  if (phase === 'saving') return html`Fetching the picture ${time}`;
  if (phase === 'stopped') return 'Stopped waiting';
  if (phase === 'failed') return explain(error, account).title;
  const { last } = timeline;
  const interruption = !connection.isOnline ? 'Offline' : last?.isLost ? 'Connection lost' : refusal(last);
  return html`${interruption ?? progress(generation)} ${time}`;
}

/** @param {number} ms */
const totalTime = (ms) => (ms < 1000 ? 'in less than 1 s' : `in ${duration(ms)}`);

/** @param {import('./timeline.js').Row} [row] */
function refusal(row) {
  const status = row?.status ?? 0;
  if (status === 429) return 'Rate-limited';
  return status >= 400 ? 'The server has a problem' : undefined;
}

/** @param {Generation} generation */
function progress({ phase, snapshot: { status, queue }, isResumed, timeline }) {
  if (phase === 'sending') return 'Waiting for the answer';
  if (queue && queue.position > 0) return `In the queue, place ${queue.position}${queueTime(queue)}`;
  if (status === 'processing') return 'Processing';
  if (status === 'pending') return 'Pending';
  return isResumed || timeline.rows[0]?.kind === 'poll' ? 'Waiting again' : 'Accepted as a task';
}

/** @param {{ wait_ms: number }} queue */
const queueTime = ({ wait_ms }) => (wait_ms > 0 ? `, about ${duration(wait_ms)}` : '');

/**
 * What is at stake once a generation has ended, in words.
 *
 * @param {Generation} generation
 */
export function stake({ phase, snapshot }) {
  if (phase === 'failed') return 'It may be billed, although no picture has come.';
  if (snapshot.task) return 'The task continues at LemonData: it may still complete and be billed.';
  return snapshot.sentAt
    ? 'The request was sent: it may still be carried out and billed.'
    : 'Nothing was sent, so nothing is billed.';
}

/**
 * Details of a generation that has ended or is held. A running one has none: a line that comes and goes would move
 * everything below it.
 *
 * @param {Generation} generation
 */
function message(generation) {
  const { phase, missing, pictures } = generation;
  if (phase === 'failed') return problem(generation);
  if (phase === 'stopped') return html`<p class="note">${stake(generation)}</p>`;
  if (phase === 'held') return html`<p class="note">It is sent when you are online again.</p>`;
  if (missing.length > 0) {
    const [{ image }] = missing;
    return html`<p class="note">The picture is made, but its server does not deliver it. Try again, or
      <a href=${/** @type {string} */ (addressOf(image.url))} target="_blank" rel="noreferrer">open its address</a>:
      it works for some hours at most.</p>`;
  }
  return pictures.some(({ id }) => isInMemory(id)) ? memoryNote() : nothing;
}

/** A picture that is in memory alone. */
function memoryNote() {
  const store = async () =>
    toast(
      (await storeFromMemory())
        ? 'Stored.'
        : 'There is still no space for it. Delete pictures in the gallery.',
    );
  return html`<div class="problem in-memory" role="status">
    <p>This browser has no space for the picture, so it is lost when this page is closed.</p>
    <p class="next">Download it now. Or free space, then <button type="button" @click=${store}>Store it</button></p>
  </div>`;
}

/** @param {Generation} generation */
function problem(generation) {
  const { message: text, hint, next, facts } = explain(generation.error, generation.account);
  const { timeline, begunAt } = generation;
  return html`<div class="problem">
    <p dir="auto">${text}</p>
    ${hint ? html`<p class="hint" dir="auto">${hint}</p>` : nothing}
    ${next ? html`<p class="next">${next}</p>` : nothing}
    ${
      generation.account && !isEmbedded
        ? html`<p class="next">The terminal that runs npm start shows more.</p>`
        : nothing
    }
    <details>
      <summary>Details</summary>
      <dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${timeline.rows.length > 0 ? html`<div class="requests">${rowsOf(timeline.rows, begunAt)}</div>` : nothing}
    </details>
  </div>`;
}

/**
 * The requests so far, the latest first, below the ring: the picture takes their place.
 *
 * @param {Generation} generation
 */
const log = ({ timeline: { rows }, begunAt, request }) =>
  html`<div class="requests log" tabindex="0" role="region" aria-label=${`Requests of “${request.prompt}”`}>
    ${rowsOf(rows, begunAt)}
  </div>`;

/**
 * The time of the next request. What takes its place has the same height: the requests, and the prompt as the model
 * revised it, which one unfolds.
 *
 * @param {Generation} generation
 * @param {number} now
 */
function folds({ timeline, isRunning, phase, begunAt, request, tiles, snapshot }, now) {
  const { rows } = timeline;
  if (isRunning && phase !== 'held') {
    return html`<p class="folds requests"><span class="next">${rows.length > 0 ? upcoming(phase, timeline, now) : elsewhere(snapshot, now)}</span></p>`;
  }
  const revised = [...new Set(tiles.map(({ image }) => image.revised_prompt))].filter(
    (text) => text && text !== request.prompt,
  );
  // The details of an error hold its requests.
  const hasRequests = rows.length > 0 && phase !== 'failed';
  if (!hasRequests && revised.length === 0) return nothing;
  return html`<div class="folds">
    ${
      hasRequests
        ? html`<details class="requests"><summary class="next">${requestCount(rows)}</summary>${rowsOf(rows, begunAt)}</details>`
        : nothing
    }
    ${
      revised.length > 0
        ? html`<details class="revised"><summary>Revised prompt</summary>${revised.map(
            (text) => html`<p dir="auto">${text}</p>`,
          )}</details>`
        : nothing
    }
  </div>`;
}

/** @type {(rows: import('./timeline.js').Row[], begunAt: number) => import('lit-html').TemplateResult} */
const rowsOf = (rows, begunAt) => html`<ol>${rows.toReversed().map((row) => requestRow(row, begunAt))}</ol>`;

/** @param {import('./timeline.js').Row[]} rows */
function requestCount(rows) {
  const number = rows.filter(({ kind }) => kind !== 'note').length;
  return `${number} ${number === 1 ? 'request' : 'requests'}`;
}

/**
 * The time of the next poll of another tab.
 *
 * @param {Generation['snapshot']} snapshot
 * @param {number} now
 */
function elsewhere({ nextPollAt }, now) {
  if (nextPollAt === undefined) return 'Waiting…';
  const at = nextPollAt - Date.now() + now;
  return countdown({ from: at, to: at }, now);
}

/**
 * @param {Generation['phase']} phase
 * @param {import('./timeline.js').Timeline} timeline
 * @param {number} now
 */
function upcoming(phase, { next, last }, now) {
  if (phase === 'saving') return 'Finished';
  if (!connection.isOnline) return 'Resumes when the connection is back';
  if (!next) return last?.kind === 'create' ? 'Creating…' : 'Polling…';
  if (!next.isRetry) return countdown(next, now);
  const seconds = Math.ceil((next.from - now) / 1000);
  return seconds > 0 ? `Trying again in ${seconds} s or more` : 'Trying again soon';
}

/**
 * @param {import('./timeline.js').Row} row
 * @param {number} begunAt
 */
function requestRow({ kind, number, at, ms, status = 0, meaning, isLost }, begunAt) {
  const time = `${(Math.max(0, at - begunAt) / 1000).toFixed(1)} s`;
  if (kind === 'note')
    return html`<li class="remark"><span class="at">${time}</span><span>${meaning}</span></li>`;
  const answer = isLost ? 'no answer' : [status, meaning].filter(Boolean).join(' · ');
  return html`<li class=${isLost || status >= 400 ? 'bad' : ''}>
    <span class="at">${time}</span>
    <span class="request">${kind === 'create' ? 'Create' : `Poll ${number}`}</span>
    <span class="answer">${answer}</span>
    <span class="duration">${ms === undefined ? '' : `${Math.round(ms)} ms`}</span>
  </li>`;
}

/**
 * The buttons by which a generation that has ended here goes on, without a second create.
 *
 * @param {Generation} generation
 */
export function resumption(generation) {
  if (generation.snapshot.task && generation.snapshot.isResumable)
    return html`<button type="button" @click=${() => resume(generation)}>Wait again</button>`;
  return generation.isLost
    ? html`<button type="button" @click=${() => resume(generation)}
        title="Sent with the same idempotency key: the relay carries it out once">Look for the answer</button>`
    : nothing;
}

/**
 * @param {Generation} generation
 * @param {CardCallbacks} callbacks
 */
function buttons(generation, callbacks) {
  const { onReuse, onCode } = callbacks;
  const { phase, request, isRunning, pictures, missing } = generation;
  const code = html`<button class="quiet code" type="button"
    @click=${() => onCode(request, generation.sources)}>Code</button><button class="quiet exchange" type="button"
    title="Request and answer" @click=${() => showExchange(generation)}>JSON</button>`;
  if (isRunning) {
    return html`<button type="button"
        @click=${() => stop(generation)}>${phase === 'saving' ? 'Stop' : 'Stop waiting'}</button>${code}`;
  }
  const [first, ...more] = pictures;
  return html`
    ${resumption(generation)}
    ${missing.length > 0 ? html`<button type="button" @click=${() => fetchAgain(generation)}>Try again</button>` : nothing}
    ${phase === 'done' ? nothing : again(generation, callbacks)}
    ${first && more.length === 0 ? tools(generation, first, callbacks) : nothing}
    ${
      phase === 'failed' && explain(generation.error, generation.account).remedy !== 'again'
        ? nothing
        : html`<button class="quiet" type="button" @click=${() => onReuse(request, generation)}>Use settings</button>`
    }
    ${code}`;
}

/**
 * The button for another create, or for a change where the same request would be refused again.
 *
 * @param {Generation} generation
 * @param {CardCallbacks} callbacks
 */
function again(generation, { onReuse }) {
  const { request, error, snapshot, isLost } = generation;
  const { remedy, models } = error ? explain(error, generation.account) : { remedy: 'again', models: [] };
  const isSecond = (snapshot.task && snapshot.isResumable) || isLost || models.length > 0;
  const label = error?.outcome === 'rejected' ? 'Try again' : 'Generate again';
  const restart = async (/** @type {Partial<typeof request>} */ changes = {}) => {
    const changed = { ...request, ...changes };
    if (await confirmCreates([changed]))
      tryAgain(generation, changes).catch(() => onReuse(changed, generation));
  };
  return html`${models.map(
    (model) => html`<button type="button" data-once @click=${() => restart({ model })}>Use ${model}</button>`,
  )}
    <button class=${isSecond ? 'quiet' : ''} type="button" data-once
      @click=${() => (remedy === 'again' ? restart() : onReuse(request, generation))}>${
        remedy === 'again' ? label : remedy === 'pictures' ? 'Add the pictures' : `Change the ${remedy}`
      }</button>`;
}
