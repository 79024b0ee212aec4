/**
 * The scenarios that make an answer a task, and what each of them does to it.
 */
import { FILTERED } from './replies.js';

/** @typedef {import('./replies.js').Context} Context */
/** @typedef {import('./tasks.js').Traits} Traits */

/**
 * An end that says what it is in its `status` alone.
 *
 * @param {string} status
 * @returns {() => Traits}
 */
const endingAs = (status) => () => ({
  end: ({ created, ids }) => ({ created, ...ids, status, data: [] }),
});

/**
 * The result of another type of task.
 *
 * @param {Record<string, unknown>} result
 * @returns {() => Traits}
 */
const resultingIn = (result) => () => ({
  end: ({ created, ids }) => ({ created, ...ids, status: 'completed', ...result }),
});

const CDN = 'https://cdn.example.com/generated';

/**
 * The number behind the name is the argument.
 *
 * @type {Record<string, (context: Context, argument: number) => Traits>}
 */
export const TASKS = {
  task: () => ({}),
  'task-failed-string': () => ({
    end: ({ created, ids }) => ({
      created,
      ...ids,
      status: 'failed',
      error: 'Content policy violation',
      data: [],
    }),
  }),
  'task-failed-object': () => ({
    // On the task path such a failure has been seen with the one id only.
    end: ({ created, ids: { id, task_id } }) => ({
      created,
      ...(id ? { id } : { task_id }),
      status: 'failed',
      error: { code: 'upstream_error', message: 'The provider rejected the prompt' },
      data: [],
    }),
  }),
  'task-cancelled': () => ({
    end: ({ ids, pollUrl }) => ({
      ...ids,
      ...pollUrl,
      status: 'failed',
      cancelled: true,
      cancellation_status: 'cancelled',
      error: 'Task cancelled before execution',
    }),
  }),
  'task-vanishes': () => ({ vanishes: true }),
  'task-no-poll-url': () => ({ noPollUrl: true }),
  'task-late': (_context, argument) => ({ latePolls: Number.isFinite(argument) ? argument : 1 }),
  'task-images-poll-url': () => ({ pollRoot: '/v1/images' }),
  'task-unknown-status': () => ({ words: ['queued', 'processing', 'completed'] }),
  'task-upper-case': () => ({ words: ['PENDING', 'PROCESSING', 'COMPLETED'] }),
  'task-queued-succeeded': () => ({ words: ['queued', 'running', 'succeeded'] }),
  'task-unknown-words': () => ({ words: ['warming_up', 'upscaling', 'polished'] }),
  'task-canceled': endingAs('canceled'),
  'task-cancelled-status': endingAs('cancelled'),
  'task-expired': endingAs('expired'),
  'task-timeout': endingAs('timeout'),
  'task-error': endingAs('error'),
  'task-id-only': () => ({ idOnly: true }),
  'task-completed-empty': resultingIn({ data: [] }),
  'task-filtered': resultingIn({ data: [], error: FILTERED }),
  'task-video': resultingIn({ video_url: `${CDN}/clip.mp4` }),
  'task-video-object': resultingIn({ video: { url: `${CDN}/clip.mp4` } }),
  'task-videos': resultingIn({ videos: [{ url: `${CDN}/clip.mp4` }] }),
  'task-audio': resultingIn({ audio_url: `${CDN}/song.mp3` }),
  'task-audio-data': resultingIn({ data: [{ audio_url: `${CDN}/song.mp3` }] }),
  'task-model': resultingIn({ model_url: `${CDN}/lemon.glb` }),
  'foreign-poll-url': ({ foreignOrigin }) => ({ pollUrlOrigin: foreignOrigin }),
};
