// Written by `npm run build` from src/core/abi.rs, 4284333115ce2ad4.

export const COMMAND_GENERATE = 0;
export const COMMAND_GENERATE_AND_WAIT = 1;
export const COMMAND_EDIT = 2;
export const COMMAND_EDIT_AND_WAIT = 3;
export const COMMAND_GET_TASK = 4;
export const COMMAND_WAIT_FOR_TASK = 5;

export const EVENT_NONE = 0;
export const EVENT_CREDENTIALS = 1;
export const EVENT_ATTEMPT = 2;
export const EVENT_ANNOUNCED = 3;
export const EVENT_LEADER_LEFT = 4;
export const EVENT_WOKEN = 5;
export const EVENT_ABORTED = 6;
export const EVENT_ELAPSED = 7;

export const SOURCE_OWN = 0;
export const SOURCE_POLL = 1;
export const SOURCE_STREAM = 2;

export const SHAPE_NOTHING = 0;
export const SHAPE_FALSE = 1;
export const SHAPE_TRUE = 2;
export const SHAPE_EMPTY = 3;
export const SHAPE_FILLED = 4;
export const SHAPE_OTHER = 5;
export const SHAPE_NUMBER = 6;
export const SHAPE_LIST = 7;
export const SHAPE_OBJECT = 8;
export const SHAPE_FUNCTION = 9;

export const TRAIT_ENTRIES = 73;
export const TRAIT_LENGTH = 74;
export const TRAIT_REASON = 75;
export const TRAIT_DESCRIPTION = 76;
export const TRAIT_ITSELF = 77;

export const FIRST_ELEMENT = 78;
export const OPTION_COUNT = 17;

export const NAMES = /* @__PURE__ */ (
  'apiKey baseUrl relay fetch headers ' +
  'dangerouslyAllowBrowser signal requestTimeout maxRetries ' +
  'pollInterval maxWait maxPolls idempotencyKey onTask ' +
  'onUpdate onResponse fallback min max aborted ' +
  'addEventListener removeEventListener request prompt n ' +
  'model size quality response_format style user image ' +
  'image_url image_urls images task task_id id poll_url ' +
  'status data url b64_json video_url audio_url model_url ' +
  'video videos cancelled error code type hint did_you_mean ' +
  'retryable retry_after isSent isLate isJson seconds date ' +
  'now location body key keyFailed headersFailed input age ' +
  'options callOptions clientOptions value'
).split(' ');

export const KINDS = /* @__PURE__ */ (
  'invalid_request authentication payment_required ' +
  'permission_denied not_found rate_limit server ' +
  'task_not_found task_failed task_cancelled connection ' +
  'request_timeout response wait_timeout poll_budget ' +
  'untrusted_url callback internal'
).split(' ');

export const OUTCOMES = /* @__PURE__ */ 'not_sent rejected accepted failed unknown'.split(' ');

export const STATUSES = /* @__PURE__ */ 'pending processing completed failed'.split(' ');
