/** What the server that serves this page says of itself, in attributes of the document. */

const { upstream, relay, poll } = document.documentElement.dataset;
const [min, max] = (poll ?? '3000-5000').split('-').map(Number);

/** Whether the embedded test server answers: nothing is billed then, and it can play what goes wrong. */
export const isEmbedded = upstream === 'embedded';

/** Which relay this is: another one does not know what has been carried out. */
export const relayId = relay;

/** The header in which every answer of the relay says so, too. */
export const RELAY_ID_HEADER = 'x-studio-relay';

/** The header that says why the service has refused the account, which an answer to other pages would not. */
export const ACCOUNT_HEADER = 'x-studio-account';

/** Where the relay is. */
export const BASE_URL = '/api/lemondata';

/** The gap between two polls, in milliseconds. */
export const pollInterval = { min, max };
