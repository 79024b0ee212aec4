/** Answers as generations, and tasks as callers store them. */

import { STATUSES } from './abi.gen.js';
import { redactAll } from './redact.js';

/** Makes the provider's own object a generation. That of a failed task is a copy, which holds no placeholders. */
export function toGeneration({ body, secret }, status, isForeign, taskId) {
  status = STATUSES[status];
  if (status === 'failed') body = { ...redactAll(body, secret), data: undefined };
  if (isForeign) body.provider_status = body.status;
  body.status = status;
  if (taskId) body.task_id = taskId;
  // A placeholder would show as a broken picture.
  const hasPicture = Array.isArray(body.data) && body.data.some((item) => item?.url || item?.b64_json);
  if (status !== 'completed' && !hasPicture) delete body.data;
  if (status === 'completed' && !Array.isArray(body.data)) body.data = [];
  return body;
}

/** A task as plain JSON: stored anywhere, it resumes the wait. */
export const taskOf = (task_id, poll_url) => (poll_url ? { task_id, poll_url } : { task_id });
