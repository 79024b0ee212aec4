/** What the client exports in every place: the functions, the class of clients and the errors. */

export { toBlob } from '../client/blob.js';
export {
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  LemonData,
  waitForTask,
} from '../client/client.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';
