/** A generation as a card: its pictures or its progress, its state in words, its requests, and what can be done. */

import { html, nothing } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { ifDefined } from 'lit-html/directives/if-defined.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { isEmbedded } from './config.js';
import { connection } from './connection.js';
import { askAgain, dismiss, tryAgain, waitAgain } from './generations.js';
import { icon } from './icon.js';
import { urlOf } from './pictures.js';
import { ring } from './ring.js';
import { shapeOf } from './settings.js';
import { download } from './take.js';
import { countdown, duration, explain, meta } from './words.js';

/**
 * What the rest of the page does for a card.
 *
 * @typedef {object} Actions
 * @property {(picture: import('./pictures.js').Picture) => void} open
 * @property {(request: import('lemondata-wasm').ImageRequest) => void} reuse
 * @property {(request: import('lemondata-wasm').ImageRequest) => void} code
 */

/**
 * @param {import('./generation.js').Generation} generation
 * @param {number} now
 * @param {Actions} actions
 */
export function card(generation, now, actions) {
  const { id, phase, request, isRunning } = generation;
  return html`<article class="card" data-phase=${phase} aria-labelledby=${`prompt-${id}`}>
    <div class="media ${shape(request)}">${media(generation, now, actions)}</div>
    <div class="about">
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
      <p class="meta">${meta(request)}</p>
      ${message(generation)}
      ${requests(generation, now)}
      <div class="actions">${buttons(generation, actions)}</div>
    </div>
  </article>`;
}

/** The shape of the room for the pictures: all of one shape make calm rows. */
function shape({ size, n = 1 }) {
  const { width, height } = shapeOf(size);
  const ratio = width / height;
  const name = ratio > 1.2 ? 'wide' : ratio < 0.85 ? 'tall' : 'square';
  return n > 1 ? `${name} many` : name;
}

function media(generation, now, actions) {
  const { pictures, phase, isRunning } = generation;
  if (pictures.length > 0) {
    return repeat(
      pictures,
      ({ id }) => id,
      (picture) => guard([picture], () => thumbnail(picture, actions)),
    );
  }
  if (isRunning && phase !== 'held') return ring(generation, now);
  return html`<p class="none">${icon(phase === 'failed' ? 'problem' : 'pause')}</p>`;
}

function thumbnail(picture, { open }) {
  const { request, index, count, width, height, url } = picture;
  if (!width && !url) return html`<p class="none">Not a picture that can be shown</p>`;
  const name = count > 1 ? `${request.prompt} (${index + 1} of ${count})` : request.prompt;
  return html`<button class="picture" type="button" @click=${() => open(picture)}>
    <img src=${until(urlOf(picture), nothing)} alt=${name} width=${ifDefined(width)} height=${ifDefined(height)}>
  </button>`;
}

/** The words for where it stands. */
function state(generation, now) {
  const { phase, timeline, account, error } = generation;
  const time = html`<span class="elapsed">${duration(generation.elapsed(now))}</span>`;
  if (phase === 'held') return 'Waiting for the connection';
  if (phase === 'done') return html`Done <span class="elapsed">${took(generation.elapsed(now))}</span>`;
  if (phase === 'saving') return html`Fetching the picture ${time}`;
  if (phase === 'stopped') return 'Stopped waiting';
  if (phase === 'failed') return explain(error, account).title;
  const { last } = timeline;
  const trouble = !connection.isOnline ? 'Offline' : last?.isLost ? 'Connection lost' : busy(last);
  return html`${trouble ?? standing(generation)} ${time}`;
}

/** @param {number} ms */
const took = (ms) => (ms < 1000 ? 'in less than 1 s' : `in ${duration(ms)}`);

const busy = (row) =>
  row?.status === 429 ? 'Asked to slow down' : row?.status >= 400 ? 'The server has a problem' : undefined;

function standing({ phase, status, isResumed, queue, timeline }) {
  if (phase === 'sending') return 'Waiting for the answer';
  if (queue?.position > 0) return `In the queue, place ${queue.position}${queueTime(queue)}`;
  if (status === 'processing') return 'Processing';
  if (status === 'pending') return 'Pending';
  return isResumed || timeline.rows[0]?.kind === 'poll' ? 'Waiting again' : 'Accepted as a task';
}

const queueTime = ({ wait_ms }) => (wait_ms > 0 ? `, about ${duration(wait_ms)}` : '');

/** What there is to say besides. While it runs, nothing: a line that comes and goes would move what is below. */
function message(generation) {
  const { phase, task } = generation;
  if (phase === 'failed') return problem(generation);
  if (phase === 'stopped') {
    const text = task
      ? 'The task goes on at LemonData: it may still complete, and be billed.'
      : generation.isLost
        ? 'The request had been sent: it may be carried out, and billed, all the same.'
        : 'Nothing has been sent, and nothing is billed.';
    return html`<p class="note">${text}</p>`;
  }
  if (phase === 'held') return html`<p class="note">It is sent when you are online again.</p>`;
  return nothing;
}

function problem(generation) {
  const { said, hint, next, models, facts } = explain(generation.error, generation.account);
  return html`<div class="problem">
    <p>${said}</p>
    ${hint ? html`<p class="hint">${hint}</p>` : nothing}
    ${next ? html`<p class="next">${next}</p>` : nothing}
    ${
      generation.account && !isEmbedded
        ? html`<p class="next">The terminal of npm start has more to say.</p>`
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

/** Every request, the latest first, below what comes next. Of one height, so that nothing below it moves. */
function requests({ timeline, isRunning, phase, journal, request }, now) {
  const { rows } = timeline;
  if (rows.length === 0) return nothing;
  const list = html`<ol>
    ${phase === 'failed' ? nothing : html`<li class="next">${isRunning ? upcoming(phase, timeline, now) : total(rows)}</li>`}
    ${rows.toReversed().map((row) => requestRow(row, journal.startedAt))}
  </ol>`;
  if (phase === 'failed') {
    // What has gone wrong needs the room.
    return html`<details class="requests"><summary>${total(rows)}</summary>${list}</details>`;
  }
  return html`<div class="requests" tabindex="0" role="region" aria-label=${`Requests of “${request.prompt}”`}>${list}</div>`;
}

function total(rows) {
  const number = rows.filter(({ kind }) => kind !== 'note').length;
  return `${number} ${number === 1 ? 'request' : 'requests'}`;
}

function upcoming(phase, { next, last }, now) {
  if (phase === 'saving') return 'Finished';
  if (!connection.isOnline) return 'Goes on when the connection is back';
  if (!next) return last?.kind === 'create' ? 'Creating…' : 'Asking…';
  if (!next.isRetry) return countdown(next, now);
  const seconds = Math.ceil((next.from - now) / 1000);
  return seconds > 0 ? `Trying again in ${seconds} s or more` : 'Trying again soon';
}

function requestRow({ kind, number, at, ms, status, said, isLost }, startedAt) {
  const time = `${((at - startedAt) / 1000).toFixed(1)} s`;
  if (kind === 'note')
    return html`<li class="remark"><span class="at">${time}</span><span>${said}</span></li>`;
  const answer = isLost ? 'no answer' : [status, said].filter(Boolean).join(' · ');
  return html`<li class=${isLost || status >= 400 ? 'bad' : ''}>
    <span class="at">${time}</span>
    <span class="what">${kind === 'create' ? 'Create' : `Poll ${number}`}</span>
    <span class="answer">${answer}</span>
    <span class="took">${ms === undefined ? '' : `${Math.round(ms)} ms`}</span>
  </li>`;
}

function buttons(generation, { reuse, code }) {
  const { phase, request, task, error, isRunning, pictures } = generation;
  if (isRunning) {
    return html`
      ${
        phase === 'saving'
          ? nothing
          : html`<button type="button" @click=${() => generation.stop()}>Stop waiting</button>`
      }
      <button class="quiet code" type="button" @click=${() => code(request)}>Code</button>`;
  }
  const canWait = task && error?.outcome !== 'failed' && error?.kind !== 'task_not_found' && phase !== 'done';
  return html`
    ${canWait ? html`<button type="button" @click=${() => waitAgain(generation)}>Wait again</button>` : nothing}
    ${
      generation.isLost
        ? html`<button type="button" @click=${() => askAgain(generation)}
            title="With the same key: the relay carries it out once">Ask what became of it</button>`
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
    <button class=${phase === 'done' ? '' : 'quiet'} type="button" @click=${() => reuse(request)}>Use settings</button>
    <button class="quiet code" type="button" @click=${() => code(request)}>Code</button>`;
}
