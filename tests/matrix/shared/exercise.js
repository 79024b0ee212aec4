/**
 * What every cell of the matrix does with the package: an inline generation, and one that becomes a task.
 * Copied into each project; `check.js` judges what it returns.
 *
 * It is handed the functions, so that each project imports the package in its own way.
 */
export async function exercise({ generate, waitForTask }, options) {
  const patient = { ...options, pollInterval: { min: 5, max: 10 } };
  const inline = await generate({ model: 'flux-schnell', prompt: 'a lemon' }, patient);
  const task = await generate({ model: 'flux-pro', prompt: 'a lime' }, patient);
  const { status } = task;
  const done = await waitForTask(task, patient);
  return { inline, task: { ...task, status }, done };
}

/** Tells the result to a driver that reads what the process prints. */
export const print = (result) => console.log(`RESULT ${JSON.stringify(result)}`);
