/** A generation as a card: its pictures or its progress, its state in words, its requests, its buttons. */

import { html, nothing } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { ifDefined } from 'lit-html/directives/if-defined.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { isEmbedded } from './config.js';
import { connection } from './connection.js';
import { download } from './export.js';
import { fallbackNote } from './fallback.js';
import { dismiss, resume, stop, tryAgain } from './generation-list.js';
import { icon } from './icon.js';
import { urlOf } from './pictures.js';
import { ring } from './ring.js';
import { shapeOf } from './settings.js';
import { countdown, duration, explain, meta } from './words.js';

/**
 * Callbacks of a card's buttons.
 *
 * @typedef {object} CardCallbacks
 * @property {(picture: import('./pictures.js').Picture) => void} onOpen
 * @property {(request: import('lemondata-wasm').ImageRequest) => void} onReuse
 * @property {(request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames) => void} onCode
 */

/** @typedef {import('./generation.js').Generation} Generation */

/**
 * @param {Generation} generation
 * @param {number} now
 * @param {CardCallbacks} callbacks
 */
export function card(generation, now, callbacks) {
  const { id, phase, request, isRunning } = generation;
  return html`<article class="card" data-phase=${phase} aria-labelledby=${`prompt-${id}`}>
    <div class="media ${shape(request)}">${media(generation, now, callbacks)}</div>
    <div class="summary">
      <div class="headline">
        <p class="state">${state(generation, now)}</p>
        ${
          isRunning
            ? nothing
            : html`<button class="quiet tool" type="button" aria-label="Dismiss" title="Dismiss"
                @click=${() => dismiss(generation)}>${icon('close')}</button>`
        }
      </div>
      <h3 class="prompt" id=${`prompt-${id}`}>${request.prompt}</h3>
      <p class="meta">${meta(request, generation.sources)}</p>
      ${fallbackNote(generation)}
      ${message(generation)}
      ${requests(generation, now)}
      <div class="actions">${buttons(generation, callbacks)}</div>
    </div>
  </article>`;
}

/**
 * The shape of the box for the pictures. There are only three, so that rows of cards line up.
 *
 * @param {import('lemondata-wasm').ImageRequest} request
 */
function shape(request) {
  const { width, height } = shapeOf(request);
  const ratio = width / height;
  const name = ratio > 1.2 ? 'wide' : ratio < 0.85 ? 'tall' : 'square';
  return (request.n ?? 1) > 1 ? `${name} many` : name;
}

/**
 * @param {Generation} generation
 * @param {number} now
 * @param {CardCallbacks} callbacks
 */
function media(generation, now, callbacks) {
  const { pictures, phase, isRunning } = generation;
  if (pictures.length > 0) {
    return repeat(
      pictures,
      ({ id }) => id,
      (picture) => guard([picture], () => thumbnail(picture, callbacks)),
    );
  }
  if (isRunning && phase !== 'held') return ring(generation, now);
  return html`<p class="placeholder">${icon(phase === 'failed' ? 'problem' : 'pause')}</p>`;
}

/**
 * @param {import('./pictures.js').Picture} picture
 * @param {CardCallbacks} callbacks
 */
function thumbnail(picture, { onOpen }) {
  const { request, index, count, width, height, url } = picture;
  if (!width && !url) return html`<p class="placeholder">Not a picture that can be shown</p>`;
  const name = count > 1 ? `${request.prompt} (${index + 1} of ${count})` : request.prompt;
  return html`<button class="picture" type="button" @click=${() => onOpen(picture)}>
    <img src=${until(urlOf(picture), nothing)} alt=${name} width=${ifDefined(width)} height=${ifDefined(height)}>
  </button>`;
}

/**
 * The state in words.
 *
 * @param {Generation} generation
 * @param {number} now
 */
function state(generation, now) {
  const { phase, timeline, account, error } = generation;
  const time = html`<span class="elapsed">${duration(generation.elapsed(now))}</span>`;
  if (phase === 'held') return 'Waiting for the connection';
  if (phase === 'done') return html`Done <span class="elapsed">${totalTime(generation.elapsed(now))}</span>`;
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
 * Details of a generation that has ended or is held. A running one has none: a line that comes and goes would move
 * everything below it.
 *
 * @param {Generation} generation
 */
function message(generation) {
  const { phase, snapshot } = generation;
  if (phase === 'failed') return problem(generation);
  if (phase === 'stopped') {
    const text = snapshot.task
      ? 'The task continues at LemonData: it may still complete and be billed.'
      : snapshot.sentAt
        ? 'The request was sent: it may still be carried out and billed.'
        : 'Nothing was sent, so nothing is billed.';
    return html`<p class="note">${text}</p>`;
  }
  if (phase === 'held') return html`<p class="note">It is sent when you are online again.</p>`;
  return nothing;
}

/** @param {Generation} generation */
function problem(generation) {
  const { message: text, hint, next, models, facts } = explain(generation.error, generation.account);
  return html`<div class="problem">
    <p>${text}</p>
    ${hint ? html`<p class="hint">${hint}</p>` : nothing}
    ${next ? html`<p class="next">${next}</p>` : nothing}
    ${
      generation.account && !isEmbedded
        ? html`<p class="next">The terminal that runs npm start shows more.</p>`
        : nothing
    }
    ${
      models.length > 0
        ? html`<p class="models">${models.map(
            (model) =>
              html`<button type="button" @click=${() => tryAgain(generation, { model })}>Use ${model}</button>`,
          )}</p>`
        : nothing
    }
    <details>
      <summary>Details</summary>
      <dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </details>
  </div>`;
}

/**
 * Every request, the latest first, below the next one. The box has a fixed height, so that nothing below it moves.
 *
 * @param {Generation} generation
 * @param {number} now
 */
function requests({ timeline, isRunning, phase, snapshot, request }, now) {
  const { rows } = timeline;
  if (rows.length === 0) return nothing;
  const list = html`<ol>
    ${phase === 'failed' ? nothing : html`<li class="next">${isRunning ? upcoming(phase, timeline, now) : requestCount(rows)}</li>`}
    ${rows.toReversed().map((row) => requestRow(row, snapshot.startedAt))}
  </ol>`;
  if (phase === 'failed') {
    // The error needs the space.
    return html`<details class="requests"><summary>${requestCount(rows)}</summary>${list}</details>`;
  }
  return html`<div class="requests" tabindex="0" role="region" aria-label=${`Requests of “${request.prompt}”`}>${list}</div>`;
}

/** @param {import('./timeline.js').Row[]} rows */
function requestCount(rows) {
  const number = rows.filter(({ kind }) => kind !== 'note').length;
  return `${number} ${number === 1 ? 'request' : 'requests'}`;
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
 * @param {number} startedAt
 */
function requestRow({ kind, number, at, ms, status = 0, meaning, isLost }, startedAt) {
  const time = `${((at - startedAt) / 1000).toFixed(1)} s`;
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
 * @param {Generation} generation
 * @param {CardCallbacks} callbacks
 */
function buttons(generation, { onReuse, onCode }) {
  const { phase, request, snapshot, error, isRunning, pictures } = generation;
  if (isRunning) {
    return html`
      ${
        phase === 'saving'
          ? nothing
          : html`<button type="button" @click=${() => stop(generation)}>Stop waiting</button>`
      }
      <button class="quiet code" type="button" @click=${() => onCode(request, generation.sources)}>Code</button>`;
  }
  const canWait = snapshot.task && snapshot.isResumable;
  return html`
    ${canWait ? html`<button type="button" @click=${() => resume(generation)}>Wait again</button>` : nothing}
    ${
      generation.isLost
        ? html`<button type="button" @click=${() => resume(generation)}
            title="Sent with the same idempotency key: the relay carries it out once">Look for the answer</button>`
        : nothing
    }
    ${
      phase === 'done'
        ? nothing
        : html`<button class=${canWait || generation.isLost ? 'quiet' : ''} type="button"
            @click=${() => tryAgain(generation)}>${error?.outcome === 'rejected' ? 'Try again' : 'Generate again'}</button>`
    }
    ${
      phase === 'done' && pictures.length === 1 && pictures[0].bytes
        ? html`<button type="button" @click=${() => download(pictures[0])}>Download</button>`
        : nothing
    }
    <button class=${phase === 'done' ? '' : 'quiet'} type="button" @click=${() => onReuse(request)}>Use settings</button>
    <button class="quiet code" type="button" @click=${() => onCode(request, generation.sources)}>Code</button>`;
}
