/** Failures and other cases to try. Each is a model of the embedded server, whose README lists them all. */
export const SCENARIOS = [
  { label: 'At once', model: 'flux-schnell', prompt: 'An orange lemon on a beach' },
  { label: 'Task with progress', model: 'flux-pro', prompt: 'A lemon tree above a quiet sea, first light' },
  { label: 'Slow answer', model: 'test-slow:4000', prompt: 'A forest in autumn' },
  { label: 'Busy, then fine', model: 'test-error-429:1', prompt: 'A desert at sunset' },
  { label: 'Polls that fail', model: 'test-poll:error-503:2', prompt: 'A purple mountain' },
  { label: 'Failed task', model: 'test-task-failed-object', prompt: 'A city of glass' },
  { label: 'Unknown model', model: 'test-error-400-model-not-found', prompt: 'A lake in winter' },
  { label: 'Balance used up', model: 'test-error-402', prompt: 'A golden lemon' },
  { label: 'Server error', model: 'test-error-500', prompt: 'A wave of rain' },
];
