/** The settings of the server, from the attributes that it writes into the document. */

const { upstream, relay, poll, service } = document.documentElement.dataset;
const [min, max] = (poll ?? '3000-5000').split('-').map(Number);

/** Whether the embedded test server answers. It bills nothing, and can play every failure. */
export const isEmbedded = upstream === 'embedded';

/** The id of the relay's process. Another process does not know which creates were carried out. */
export const relayId = relay;

/** The header of every relay answer that holds the same id. */
export const RELAY_ID_HEADER = 'x-studio-relay';

/** The header with the reason why the service refused the account. Relays for other pages do not send it. */
export const ACCOUNT_HEADER = 'x-studio-account';

/** The address of the service, where it is not the default one: for the code panel. */
export const baseUrl = service || undefined;

/** The address of the relay. */
export const BASE_URL = '/api/lemondata';

/** The gap between two polls, in milliseconds. */
export const pollInterval = { min, max };
